package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// ReaderRole is the role through which the API reads datasets. It may read those, of the ledger which they are and which rows
// were rejected, and nothing else.
const ReaderRole = "sluice_reader"

// ReaderLogin says how the API becomes [ReaderRole].
type ReaderLogin struct {
	// Password lets it log in with that. It is printable ASCII, and sent to the server as what verifies it only.
	Password string
	// Trusted lets it log in without one, where the server asks for none.
	Trusted bool
	// Shared lets the role of this connection take it on.
	Shared bool
}

// MakeReader makes [ReaderRole], unless it is there, and lets it read which datasets there are; [Database.ShowDatasets] lets it read
// those. It fails with an [events.Failure] of code not_permitted where this role may not. The schema must be migrated.
func (db *Database) MakeReader(ctx context.Context, login ReaderLogin) error {
	if err := db.createReader(ctx); err != nil {
		return err
	}
	verifier, err := scramVerifier(login.Password)
	if err != nil {
		return fmt.Errorf("encoding the password of role %s: %w", ReaderRole, err)
	}
	for _, step := range []struct {
		needed bool
		sql    string
	}{
		{login.Password != "", "ALTER ROLE " + ReaderRole + " LOGIN PASSWORD " + literal(verifier)},
		{login.Trusted, "ALTER ROLE " + ReaderRole + " LOGIN"},
		{login.Shared, joinReader},
		{true, "GRANT USAGE ON SCHEMA sluice TO " + ReaderRole},
		{true, "GRANT SELECT ON sluice.standing_datasets, sluice.rejects TO " + ReaderRole},
	} {
		if !step.needed {
			continue
		}
		if err := db.execAlone(ctx, step.sql); err != nil {
			return fmt.Errorf("setting up role %s: %w", ReaderRole, readerFailure(err))
		}
	}
	return nil
}

// joinReader makes this role a member, unless it is a superuser, which can be anyone, or is one already and may not.
const joinReader = `DO $$ BEGIN
	IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		EXECUTE format('GRANT ` + ReaderRole + ` TO %I', current_user);
	END IF;
EXCEPTION WHEN insufficient_privilege THEN
	IF NOT pg_has_role('` + ReaderRole + `', 'MEMBER') THEN RAISE; END IF;
END $$`

func (db *Database) createReader(ctx context.Context) error {
	var exists bool
	err := db.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", ReaderRole).Scan(&exists)
	if err != nil {
		return fmt.Errorf("looking for role %s: %w", ReaderRole, failure(err))
	}
	if exists {
		return nil
	}
	_, err = db.pool.Exec(ctx, "CREATE ROLE "+ReaderRole+" NOLOGIN")
	if err != nil && !isNameTaken(err) { // by another process, at this moment
		return fmt.Errorf("making role %s: %w", ReaderRole, readerFailure(err))
	}
	return nil
}

// execAlone executes a statement that others may execute at the same moment, when the server fails all but one.
func (db *Database) execAlone(ctx context.Context, sql string) error {
	const tries = 5
	var err error
	for range tries {
		if _, err = db.pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); !hasState(err, stateInternalError, stateUniqueViolation) {
			return err
		}
	}
	return err
}

// readerFailure leaves out the statement's text, which the driver's error does not hold, and says what to do.
func readerFailure(err error) error {
	if hasState(err, stateInsufficientRights) {
		return events.Failf(events.CodeNotPermitted, "this role may not; have role %s made by one that may, as docs/operations.md shows",
			ReaderRole).CausedBy(err)
	}
	return failure(err)
}

// CheckReaderPassword fails if a password cannot be one of [ReaderLogin].
func CheckReaderPassword(password string) error {
	for _, c := range []byte(password) {
		if c <= ' ' || c > '~' {
			return errors.New("the password must be printable ASCII, without spaces")
		}
	}
	return nil
}
