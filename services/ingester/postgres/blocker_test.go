package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// session opens a transaction as somebody else would, and executes a statement in it.
func (w *world) session(application, sql string) (tx pgx.Tx, pid uint32) {
	w.Helper()
	ctx := testenv.Context(w)
	config, err := pgx.ParseConfig(w.url)
	w.must(err)
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(ctx, config)
	w.must(err)
	w.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	tx, err = conn.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, sql)
	w.must(err)
	return tx, conn.PgConn().PID()
}

// Whoever keeps a job from its table is named, and nothing of what they ask.
func TestBusyTableTellsWhoHasIt(t *testing.T) {
	for name, tt := range map[string]struct {
		sql string
		try func(w *world) error
	}{
		"append": {"LOCK TABLE trips IN SHARE MODE; SELECT 'secret'", func(w *world) error {
			_, err := file{mode: events.Append, columns: []string{"id"}, rows: []string{"1"}}.loadBy(testenv.Context(w), w.db)
			return err
		}},
		"replace": {"SELECT 'secret', id FROM trips", func(w *world) error {
			_, err := file{mode: events.Replace, columns: []string{"id"}, rows: []string{"1"}}.loadBy(testenv.Context(w), w.db)
			return err
		}},
		"another job": {"SELECT pg_advisory_xact_lock(hashtextextended('sluice:public.trips', 0)) -- secret", func(w *world) error {
			_, err := file{mode: events.Append, columns: []string{"id"}, rows: []string{"1"}}.loadBy(testenv.Context(w), w.db)
			return err
		}},
		"drop": {"SELECT 'secret', id FROM trips", func(w *world) error { return w.db.Drop(testenv.Context(w), "public", "trips") }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.as(events.Create, "1")
			user := w.list("SELECT current_user::text")[0]
			_, pid := w.session("ann's notebook", tt.sql)
			message := wantFailure(t, tt.try(w), events.CodeTableBusy).Message
			want := fmt.Sprintf(`^table public\.trips is in use by others: session %d \(ann's notebook, role %s\) is idle in a transaction that began at `+
				`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, pid, regexp.QuoteMeta(user))
			if !regexp.MustCompile(want).MatchString(message) || strings.Contains(message, "secret") {
				t.Errorf("the message is %q, want %s", message, want)
			}
		})
	}
}

// Of a chain of waiting sessions the one is named that stands next; a prepared transaction has no session.
func TestBusyTableTellsOfWaitingOnes(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	w.as(events.Create, "1")
	reader, _ := w.session("reader", "SELECT id FROM trips")
	waiting, pid := w.session("waiting", "SELECT 1")
	altered := make(chan error, 1)
	go func() {
		_, err := waiting.Exec(ctx, "ALTER TABLE trips ADD COLUMN x int")
		altered <- err
	}()
	w.waitUntilBlocked("ALTER TABLE trips")
	_, err := file{mode: events.Append, columns: []string{"id"}, rows: []string{"1"}}.loadBy(ctx, w.db)
	message := wantFailure(t, err, events.CodeTableBusy).Message
	if want := fmt.Sprintf("session %d (waiting, role ", pid); !strings.Contains(message, want) || !strings.Contains(message, " is active in a transaction") {
		t.Errorf("the message is %q, want %q in it", message, want)
	}
	w.must(reader.Commit(ctx))
	w.must(<-altered)
}
