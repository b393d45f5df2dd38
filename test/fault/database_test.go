package fault

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// database is a Postgres that can be crashed and started again.
type database struct {
	server   *localpg.Server
	dir      string
	name     string // of the database
	settings map[string]string
}

func startDatabase(t *testing.T, dir string, settings map[string]string) *database {
	t.Helper()
	d := &database{dir: dir, name: "postgres", settings: settings}
	d.start(t)
	t.Cleanup(func() { _ = d.server.Stop(context.WithoutCancel(t.Context())) })
	return d
}

// start runs the server on what it has stored.
func (d *database) start(t *testing.T) {
	t.Helper()
	var err error
	if d.server, err = testenv.StartPostgres(testenv.Context(t), d.dir, d.settings); err != nil {
		t.Fatal(err)
	}
}

// move goes over to a database whose tables lie in dir.
func (d *database) move(t *testing.T, dir string) {
	t.Helper()
	tables := filepath.Join(dir, "tables")
	owner, err := os.Stat(d.server.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	is, ok := owner.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("the owner of the server's files is not known")
	}
	if err := errors.Join(os.Mkdir(tables, 0o700), os.Chown(tables, int(is.Uid), int(is.Gid))); err != nil {
		t.Fatal(err)
	}
	conn := d.connect(t)
	execute(t, conn, "CREATE TABLESPACE small LOCATION '"+tables+"'")
	execute(t, conn, "CREATE DATABASE small TABLESPACE small")
	d.name = "small"
}

// crash ends the server by a signal: SIGQUIT for an immediate shutdown, SIGKILL for its main process alone.
func (d *database) crash(t *testing.T, by syscall.Signal) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(d.server.DataDir(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, by); err != nil {
		t.Fatal(err)
	}
	<-d.server.Done()
}

// addr is where the server listens, in this life of it.
func (d *database) addr(t *testing.T) string {
	t.Helper()
	return d.parsed(t).Host
}

// urlAt is the database's URL at another address, such as a proxy's.
func (d *database) urlAt(t *testing.T, addr string) string {
	t.Helper()
	u := d.parsed(t)
	u.Host = addr
	return u.String()
}

func (d *database) parsed(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(d.server.URL(d.name))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// connect returns a connection of the test's own.
func (d *database) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(testenv.Context(t), d.server.SocketURL(d.name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// column returns the only column of a query's rows.
func column[T any](t *testing.T, conn *pgx.Conn, query string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(testenv.Context(t), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

// execute runs a statement.
func execute(t *testing.T, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(testenv.Context(t), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
