package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"sluice/pkg/events"
)

// Errors on which a worker decides what to do next.
var (
	// ErrFenceLost says that another worker has opened the job since: nothing was committed.
	ErrFenceLost = errors.New("another worker has opened the job")
	// ErrSuperseded says that a newer run of the job has been opened.
	ErrSuperseded = errors.New("a newer run of the job has been opened")
	// ErrNotMigrated says that schema sluice is missing or old; run the set-up step.
	ErrNotMigrated = errors.New("schema sluice is missing or older than this program needs")
	// ErrUncertain says that a COMMIT got no answer. Only opening the job again tells whether it took place.
	ErrUncertain = errors.New("the database did not say whether it committed")
)

// SQLSTATEs (PostgreSQL manual, appendix A) that are decided on.
const (
	stateUniqueViolation    = "23505"
	stateDuplicateSchema    = "42P06"
	stateDuplicateTable     = "42P07"
	stateDuplicateObject    = "42710"
	stateLockNotAvailable   = "55P03"
	stateInvalidSchemaName  = "3F000"
	stateInsufficientRights = "42501"
	stateDiskFull           = "53100"
	stateUndefinedTable     = "42P01"
	stateUndefinedColumn    = "42703"
	stateInvalidTable       = "42P16"
	stateTooManyColumns     = "54011"
	stateLimitExceeded      = "54000"
	stateDeadlock           = "40P01"
	stateNotNullViolation   = "23502"
	stateCheckViolation     = "23514"
	stateRaised             = "P0001"

	stateCardinalityViolation = "21000"
	stateDependentsExist      = "2BP01"
	stateInternalError        = "XX000"
)

func hasState(err error, states ...string) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return slices.Contains(states, pg.Code)
}

// isConcurrentCreate recognises that another process has created the same object at the same moment.
func isConcurrentCreate(err error) bool {
	return hasState(err, stateDuplicateSchema, stateUniqueViolation)
}

// isNameTaken recognises that a table cannot be called so. A unique violation, in the server's own catalog, tells of a
// transaction that was first to use the name and has only now committed.
func isNameTaken(err error) bool {
	return hasState(err, stateDuplicateTable, stateDuplicateObject, stateUniqueViolation)
}

// failure says for users what an error of the driver means, and keeps the error as its cause: the driver's own text
// tells too much. An error that is not the database's, or is a failure already, passes unchanged.
func failure(err error) error {
	var connect *pgconn.ConnectError // its deadline may be the driver's own
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &connect) {
		return err
	}
	if _, ok := errors.AsType[*events.Failure](err); ok {
		return err
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return stateFailure(pg).CausedBy(err)
	}
	if connectionLost(err) {
		return events.Failf(events.CodeDatabaseUnavailable, "the connection to the database failed").CausedBy(err)
	}
	return err
}

func stateFailure(pg *pgconn.PgError) *events.Failure {
	switch pg.Code {
	case stateInvalidSchemaName:
		return events.Failf(events.CodeSchemaNotFound, "%s; create it, or name another schema", pg.Message)
	case stateInsufficientRights:
		return events.Failf(events.CodeNotPermitted, "%s; grant it to the ingester's role", pg.Message)
	case stateDiskFull:
		return events.Failf(events.CodeStorageFull, "%s; free space on the database's disk", pg.Message)
	case stateTooManyColumns:
		return events.Failf(events.CodeTooManyColumns, "%s", pg.Message)
	case stateLimitExceeded:
		return events.Failf(events.CodeRowTooWide, "%s", pg.Message)
	}
	switch pg.Code[:2] {
	// connection, transaction state (read-only, idle too long), authorization, no such database, rollback, resources,
	// object in use, operator intervention, system
	case "08", "25", "28", "3D", "40", "53", "55", "57", "58":
		return events.Failf(events.CodeDatabaseUnavailable, "the database is not available: %s", pg.Message)
	}
	return events.Failf(events.CodeDatabaseError, "the database refused a statement: %s", pg.Message)
}

// valueFailure is the failure of a statement that brings a file's values into a table of the user's: what does not fit there
// is the file's fault, or the table's, and no error of ours.
func valueFailure(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code[:2] != "22" && pg.Code[:2] != "23" && pg.Code != stateRaised {
		return failure(err)
	}
	message := pg.Message
	if pg.Detail != "" && pg.Code != stateNotNullViolation && pg.Code != stateCheckViolation { // those show the whole row
		message += ": " + pg.Detail
	}
	return events.Failf(events.CodeValueInvalid, "%s", message).CausedBy(err)
}

// connectionLost recognises a connection that could not be made, or that ended under a statement.
func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err)
}

// commitFailure judges the error of a COMMIT. Only an ERROR from the server proves that nothing was committed; a FATAL
// one may follow a commit whose answer was never sent.
func commitFailure(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.SeverityUnlocalized == "ERROR" {
		return failure(err)
	}
	return errors.Join(ErrUncertain, err)
}
