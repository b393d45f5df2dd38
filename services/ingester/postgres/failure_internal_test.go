package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"sluice/pkg/events"
)

func TestSQLStateBecomesCode(t *testing.T) {
	for state, want := range map[string]events.Code{
		"53100": events.CodeStorageFull,
		"53200": events.CodeDatabaseUnavailable, // out of memory
		"53300": events.CodeDatabaseUnavailable, // too many connections
		"57014": events.CodeDatabaseUnavailable, // statement time-out
		"57P01": events.CodeDatabaseUnavailable, // terminated
		"57P03": events.CodeDatabaseUnavailable, // starting up
		"08006": events.CodeDatabaseUnavailable,
		"25006": events.CodeDatabaseUnavailable, // read-only, as after a failover
		"25P03": events.CodeDatabaseUnavailable, // idle for too long
		"28P01": events.CodeDatabaseUnavailable, // wrong password
		"3D000": events.CodeDatabaseUnavailable, // no such database
		"40001": events.CodeDatabaseUnavailable, // serialization
		"40P01": events.CodeDatabaseUnavailable, // deadlock
		"55P03": events.CodeDatabaseUnavailable, // lock time-out
		"58030": events.CodeDatabaseUnavailable, // input or output
		"3F000": events.CodeSchemaNotFound,
		"42501": events.CodeNotPermitted,
		"54011": events.CodeTooManyColumns,
		"54000": events.CodeRowTooWide,
		"22021": events.CodeDatabaseError,
		"42601": events.CodeDatabaseError,
		"XX000": events.CodeDatabaseError,
	} {
		cause := &pgconn.PgError{Code: state, Message: "what the server says", Detail: "secret", Severity: "ERREUR", SeverityUnlocalized: "ERROR"}
		err := failure(fmt.Errorf("doing: %w", cause))
		var f *events.Failure
		if !errors.As(err, &f) || f.Code != want || f.Retryable != want.Retryable() {
			t.Errorf("%s became %v, want %s", state, err, want)
			continue
		}
		if !strings.Contains(f.Message, cause.Message) || strings.Contains(f.Message, "secret") {
			t.Errorf("%s: the message is %q", state, f.Message)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%s: the cause is lost", state)
		}
	}
}

func TestLostConnectionIsUnavailable(t *testing.T) {
	for _, cause := range []error{
		io.EOF, io.ErrUnexpectedEOF, pgconn.ErrConnClosed,
		&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
	} {
		err := failure(fmt.Errorf("doing: %w", cause))
		var f *events.Failure
		if !errors.As(err, &f) || f.Code != events.CodeDatabaseUnavailable || !errors.Is(err, cause) {
			t.Errorf("%v became %v", cause, err)
		}
		if f != nil && strings.Contains(f.Message, cause.Error()) {
			t.Errorf("the message tells too much: %q", f.Message)
		}
	}
}

func TestOtherErrorsPassUnchanged(t *testing.T) {
	for _, err := range []error{
		nil, context.Canceled, context.DeadlineExceeded, errors.New("another"), ErrFenceLost,
		events.Failf(events.CodeTableExists, "taken"), fmt.Errorf("doing: %w", context.Canceled),
	} {
		if got := failure(err); got != err { // the very same
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestOnlyAnErrorOfTheServerMakesACommitCertain(t *testing.T) {
	for severity, certain := range map[string]bool{"ERROR": true, "FATAL": false, "PANIC": false, "": false} {
		err := commitFailure(&pgconn.PgError{Severity: "ERROR", SeverityUnlocalized: severity, Code: "23514"})
		if errors.Is(err, ErrUncertain) == certain {
			t.Errorf("%q: %v", severity, err)
		}
	}
	for _, cause := range []error{io.EOF, context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
		if err := commitFailure(cause); !errors.Is(err, ErrUncertain) || !errors.Is(err, cause) {
			t.Errorf("%v became %v", cause, err)
		}
	}
}
