package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that there is no table of the name which Sluice has loaded into.
	ErrNotFound = errors.New("there is no such dataset")
	// ErrNotReadable says that the reader's role may not read the table.
	ErrNotReadable = errors.New("the role may not read the table")
	// ErrUnavailable says that Postgres does not answer, or is not set up.
	ErrUnavailable = errors.New("the database is not available")
	// ErrBusy says that too much is read already, or that the table is locked.
	ErrBusy = errors.New("the database or the table is busy")
	// ErrTooSlow says that a query was given up.
	ErrTooSlow = errors.New("the query took too long")
	// ErrCursorExpired says that the table is not the one any more whose page a cursor follows.
	ErrCursorExpired = errors.New("the table has been replaced or rewritten")
)

// ParameterError says which part of a question is at fault. It implements error.
type ParameterError struct{ Name, Detail string }

// Error returns the name and the detail.
func (e *ParameterError) Error() string { return e.Name + " " + e.Detail }

func badParameter(name, format string, args ...any) error {
	return &ParameterError{Name: name, Detail: fmt.Sprintf(format, args...)}
}

// SQLSTATEs (PostgreSQL manual, appendix A) that are decided on.
const (
	stateInsufficientRights = "42501"
	stateUndefinedTable     = "42P01"
	stateUndefinedSchema    = "3F000"
	stateWrongKind          = "42809"
	stateLockNotAvailable   = "55P03"
	stateQueryCancelled     = "57014"
)

// failure says what an error of the driver means.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return errors.Join(ErrUnavailable, err) // the connection
	}
	switch pg.Code {
	case stateInsufficientRights:
		return errors.Join(ErrNotReadable, err)
	case stateLockNotAvailable:
		return errors.Join(ErrBusy, err)
	case stateQueryCancelled:
		return errors.Join(ErrTooSlow, err)
	}
	switch pg.Code[:2] {
	// connection, transaction state, authorization, no such database or schema, rollback, resources, object in use, operator, system
	case "08", "25", "28", "3D", "3F", "40", "53", "55", "57", "58":
		return errors.Join(ErrUnavailable, err)
	}
	return err
}

// ledgerFailure is failure for statements on schema sluice: where that is not as it should be, the set-up is missing.
func ledgerFailure(ctx context.Context, err error) error {
	if hasState(err, stateUndefinedTable, stateInsufficientRights) {
		return errors.Join(ErrUnavailable, err)
	}
	return failure(ctx, err)
}

func hasState(err error, states ...string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(states, pg.Code)
}
