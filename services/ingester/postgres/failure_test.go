package postgres_test

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

func numbered(n int) []events.Column {
	names := make([]string, n)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	return columns(names...)
}

func TestTooManyColumns(t *testing.T) {
	w := newWorld(t)
	err := w.open(w.db, 1).Prepare(testenv.Context(t), postgres.File{Columns: numbered(1601)})
	wantFailure(t, err, events.CodeTooManyColumns)
	w.must(w.open(w.db, 1).Prepare(testenv.Context(t), postgres.File{Columns: numbered(1600)}))
}

func TestRefusedRowIsLocated(t *testing.T) {
	wide := make([][]byte, 1600)
	for i := range wide {
		wide[i] = bytes.Repeat([]byte("x"), 25)
	}
	for name, c := range map[string]struct {
		row  [][]byte
		code events.Code
	}{
		"too wide":       {wide, events.CodeRowTooWide},
		"not UTF-8":      {[][]byte{[]byte("\xff")}, events.CodeDatabaseError},
		"a NUL byte":     {[][]byte{{0}}, events.CodeDatabaseError},
		"too few values": {[][]byte{[]byte("a"), []byte("b")}, events.CodeDatabaseError},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.open(w.db, 1)
			width := len(c.row)
			if name == "too few values" {
				width++
			}
			w.must(load.Prepare(testenv.Context(t), postgres.File{Columns: numbered(width)}))
			b := func() *postgres.Batch { return batchOf(4711-2, 4720, c.row) }
			commit := load.Commit(testenv.Context(t), b())
			_, publish := load.Publish(testenv.Context(t), b(), w.publication())
			for _, err := range []error{commit, publish} {
				if f := wantFailure(t, err, c.code); !strings.Contains(f.Message, "line 4711") {
					t.Errorf("the message is %q", f.Message)
				}
			}
			w.wantTables(w.staging())
		})
	}
}

func TestSchemaMustExist(t *testing.T) {
	w := newWorld(t)
	claim := w.claim(1)
	claim.Spec.Schema = "nowhere"
	w.wantRunFails(w.db, claim, events.CodeSchemaNotFound, "nowhere")
}

// A run must come to its end whatever the role may not do.
func TestSchemaMustBePermitted(t *testing.T) {
	for name, grant := range map[string]string{"nothing": "", "usage": "GRANT USAGE ON SCHEMA closed TO %s"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			role := w.role()
			w.exec("CREATE SCHEMA closed")
			w.exec("GRANT ALL ON SCHEMA sluice TO " + role)
			w.exec("GRANT ALL ON ALL TABLES IN SCHEMA sluice TO " + role)
			w.exec(strings.ReplaceAll(grant, "%s", role))
			claim := w.claim(1)
			claim.Spec.Schema = "closed"
			w.wantRunFails(w.worker(w.url+" role="+role), claim, events.CodeNotPermitted, "closed")
		})
	}
}

// role makes a role without rights.
func (w *world) role() string {
	w.Helper()
	config, err := pgx.ParseConfig(w.url)
	w.must(err)
	role := "role_" + config.Database
	w.exec("CREATE ROLE " + role)
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, w.url)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close(ctx) }()
		_, _ = conn.Exec(ctx, "DROP OWNED BY "+role+"; DROP ROLE "+role)
	})
	return role
}

func (w *world) wantRunFails(db *postgres.Database, claim postgres.Claim, code events.Code, message string) {
	w.Helper()
	ctx := testenv.Context(w)
	load, _, err := db.Open(ctx, claim)
	w.must(err)
	f := wantFailure(w, load.Prepare(ctx, postgres.File{Columns: columns("value")}), code)
	if !strings.Contains(f.Message, message) {
		w.Errorf("the message is %q", f.Message)
	}
	load, _, err = db.Open(ctx, claim)
	w.must(err)
	outcome, err := load.Fail(ctx, f, events.Figures{}, time.Now())
	w.must(err)
	if outcome.Failure.Code != code {
		w.Errorf("outcome %+v", outcome)
	}
}

// listen returns an address and what it leads to.
func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(testenv.Context(t), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, l.Addr().String()
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	t.Parallel()
	refusing, refused := listen(t)
	_ = refusing.Close()
	_, silent := listen(t)
	for name, url := range map[string]string{
		"refused":          "postgres://me:s3cret@" + refused + "/db",
		"silent":           "postgres://me:s3cret@" + silent + "/db?sslmode=disable&connect_timeout=1",
		"no such database": testenv.Database(t) + " dbname=nowhere",
	} {
		_, err := postgres.Connect(testenv.Context(t), url, 2)
		f := wantFailure(t, err, events.CodeDatabaseUnavailable)
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(f.Message, "127.0.0.1") {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
	if _, err := postgres.Connect(testenv.Context(t), "postgres://me:s3cret@%zz/db", 2); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a URL that is none: %v", err)
	}
}

// A staging table that is gone tells that the job must be opened again.
func TestVanishedStagingIsALostFence(t *testing.T) {
	w := newWorld(t)
	load := w.prepared(w.db)
	w.exec("DROP TABLE " + w.staging())
	for _, step := range []string{"commit", "publish"} {
		w.wantFenceLost(step, steps[step](testenv.Context(t), load, w))
	}
}
