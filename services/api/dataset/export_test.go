package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

func TestCSV(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", `CREATE TABLE trips (id int PRIMARY KEY, "=t,""x" text, n numeric);
		INSERT INTO trips VALUES (1, NULL, NULL), (2, '', -1), (3, E'a,"b"\r\nc', 2.50), (4, '=1+2', 3), (5, '-1', 4), (6, E'\tx', 5), (7, ' "@x', 6), (8, '@a,b', -7)`)
	want := "id,\"=t,\"\"x\",n\r\n1,,\r\n2,\"\",-1\r\n3,\"a,\"\"b\"\"\r\nc\",2.50\r\n4,=1+2,3\r\n5,-1,4\r\n6,\tx,5\r\n7,\" \"\"@x\",6\r\n8,\"@a,b\",-7\r\n"
	if got := w.exported(ExportQuery{Format: CSV}); got != want {
		t.Errorf("written is %q, want %q", got, want)
	}
	safe := "id,\"'=t,\"\"x\",n\r\n1,,\r\n2,\"\",-1\r\n3,\"a,\"\"b\"\"\r\nc\",2.50\r\n4,'=1+2,3\r\n5,'-1,4\r\n6,'\tx,5\r\n7,\" \"\"@x\",6\r\n8,\"'@a,b\",-7\r\n"
	if got := w.exported(ExportQuery{Format: CSV, FormulaSafe: true}); got != safe {
		t.Errorf("made safe it is %q, want %q", got, safe)
	}
	records, err := csv.NewReader(strings.NewReader(want)).ReadAll()
	if err != nil || len(records) != 9 || records[3][1] != "a,\"b\"\nc" { // which is how the reader reads \r\n
		t.Errorf("read again it is %q (%v)", records, err)
	}
	if got := w.exported(ExportQuery{Format: CSV, Limit: 1, Columns: `n,"=t,""x"`, Filters: []string{"n:lt:0"}}); got != "n,\"=t,\"\"x\"\r\n-1,\"\"\r\n" {
		t.Errorf("a part is %q", got)
	}
	if got := w.exported(ExportQuery{Format: CSV, Columns: "id", Filters: []string{"id:gt:9"}}); got != "id\r\n" {
		t.Errorf("without rows it is %q", got)
	}
	if got := w.exported(ExportQuery{Format: NDJSON, Columns: "id", Filters: []string{"id:gt:9"}}); got != "" {
		t.Errorf("without rows it is %q", got)
	}
}

// TestPostgresReadsCSVAsItWas holds that a file of one column, in which NULL is an empty line, is read by COPY as it was written.
func TestPostgresReadsCSVAsItWas(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", `CREATE TABLE trips (t text); CREATE TABLE again (t text);
		INSERT INTO trips VALUES (NULL), ('a'), (''), (NULL), ('\.'), ('\.x'), ('"'), (E'\r\n'), (' '), (NULL)`)
	text := w.exported(ExportQuery{Format: CSV})
	if want := "t\r\n\r\na\r\n\"\"\r\n\r\n\"\\.\"\r\n\\.x\r\n\"\"\"\"\r\n\"\r\n\"\r\n \r\n\r\n"; text != want {
		t.Errorf("written is %q, want %q", text, want)
	}
	conn, err := w.Pool.Acquire(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().CopyFrom(w.ctx, strings.NewReader(text), "COPY again FROM STDIN (FORMAT csv, HEADER)"); err != nil {
		t.Fatal(err)
	}
	var same bool
	err = conn.QueryRow(w.ctx, `SELECT (SELECT array_agg(t ORDER BY ctid) FROM trips) = (SELECT array_agg(t ORDER BY ctid) FROM again)`).Scan(&same)
	if err != nil || !same {
		t.Errorf("read again it is the same: %t (%v)", same, err)
	}
}

// sink counts what is written, and does with each write as it is told.
type sink struct {
	bytes int
	do    func(n int) error
}

func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), s.do(s.bytes)
}

// TestExportsAreStreamed exports far more than memory is used for.
func TestExportsAreStreamed(t *testing.T) {
	w := newLoneWorld(t)
	w.loaded("trips", "CREATE TABLE trips AS SELECT n, repeat('x', 1000) AS text FROM generate_series(1, 200000) n")
	most := uint64(0)
	out := &sink{do: func(n int) error {
		if n%(8<<20) < chunk {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
		return nil
	}}
	if err := w.reader.Export(w.ctx, ExportQuery{Schema: "public", Table: "trips", Format: NDJSON}, out); err != nil {
		t.Fatal(err)
	}
	if out.bytes < 200e6 || most == 0 || most > 50e6 {
		t.Errorf("%d bytes were written, with %d bytes of memory", out.bytes, most)
	}
}

// TestExportSeesOneMoment holds that rows which are deleted during an export are in it.
func TestExportSeesOneMoment(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", "CREATE TABLE trips AS SELECT n, repeat('x', 1000) AS text FROM generate_series(1, 20000) n")
	out := &sink{}
	out.do = func(n int) error {
		if n == out.bytes && n < 2*chunk {
			w.Exec("DELETE FROM trips WHERE n > 10; INSERT INTO trips SELECT n, 'new' FROM generate_series(1, 1000) n")
		}
		return nil
	}
	if err := w.reader.Export(w.ctx, ExportQuery{Schema: "public", Table: "trips", Columns: "text", Format: CSV}, out); err != nil {
		t.Fatal(err)
	}
	if want := len("text\r\n") + 20000*1002; out.bytes != want {
		t.Errorf("%d bytes were written, want %d", out.bytes, want)
	}
}

// TestExportEndsWithItsReader holds that a query ends on the server when nobody wants its rows any more, and that so many run at once
// and no more.
func TestExportEndsWithItsReader(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", "CREATE TABLE trips AS SELECT n, repeat('x', 1000) AS text FROM generate_series(1, 50000) n")
	q := ExportQuery{Schema: "public", Table: "trips", Format: CSV}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	begun, ended := make(chan bool, exports), make(chan error, exports)
	for range exports {
		go func() {
			ended <- w.reader.Export(ctx, q, &sink{do: func(int) error {
				select {
				case begun <- true:
				default:
				}
				<-ctx.Done()
				return ctx.Err()
			}})
		}()
	}
	for range exports {
		<-begun
	}
	if err := w.reader.Export(w.ctx, q, io.Discard); !errors.Is(err, ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	w.page(RowsQuery{Limit: 10})
	cancel()
	for range exports {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	}
	broken := errors.New("broken")
	if err := w.reader.Export(w.ctx, q, &sink{do: func(int) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("a writer that fails: %v", err)
	}
	testenv.Eventually(w.ctx, t, "no query runs", func() error {
		var running int
		err := w.Pool.QueryRow(w.ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = 'sluice-api' AND state <> 'idle'`).Scan(&running)
		if err == nil && running > 0 {
			err = errors.New("some do")
		}
		return err
	})
	w.exported(q)
}

func TestSlowQueriesAreGivenUp(t *testing.T) {
	w := newWorld(t)
	err := w.reader.read(w.ctx, "SET LOCAL statement_timeout = '10ms'", func(tx pgx.Tx) error {
		_, err := tx.Exec(w.ctx, "SELECT pg_sleep(60)")
		return failure(w.ctx, err)
	})
	if !errors.Is(err, ErrTooSlow) {
		t.Error(err)
	}
	var limits []string
	err = w.reader.read(w.ctx, "", func(tx pgx.Tx) error {
		return tx.QueryRow(w.ctx, `SELECT array[current_setting('statement_timeout'), current_setting('transaction_read_only'),
			current_setting('transaction_isolation'), current_setting('search_path'), current_user]::text[]`).Scan(&limits)
	})
	if want := []string{"30s", "on", "repeatable read", "", "sluice_reader"}; err != nil || !slices.Equal(limits, want) {
		t.Errorf("settings are %q (%v), want %q", limits, err, want)
	}
}

// Without Postgres every call fails soon, and with it works.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // it never answers
	for _, url := range []string{"postgres://127.0.0.1:1/x", "postgres://" + listener.Addr().String() + "/x?sslmode=disable"} {
		reader, err := Open(Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(testenv.Context(t), 2*acquireTime)
		_, listed := reader.List(ctx, ListQuery{Limit: 1})
		_, paged := reader.Rows(ctx, RowsQuery{Schema: "public", Table: "trips", Limit: 1})
		if !errors.Is(listed, ErrUnavailable) || !errors.Is(paged, ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("%s: %v, %v", url, listed, paged)
		}
		cancel()
		reader.Close()
	}
	if _, err := Open(Config{URL: "postgres://user:hush@a b/x"}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a URL that is none: %v", err)
	}
	reader, err := Open(Config{URL: testenv.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := reader.List(testenv.Context(t), ListQuery{Limit: 1}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a database that is not set up: %v", err)
	}
}

// A role that is taken on reads no more than it does itself.
func TestRoleIsTakenOn(t *testing.T) {
	w := newWorld(t)
	w.loaded("trips", "CREATE TABLE trips (id int); CREATE TABLE secret (id int)")
	w.Exec("REVOKE SELECT ON trips FROM sluice_reader")
	reader, err := Open(Config{URL: w.URL, Role: "sluice_reader"})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	q := RowsQuery{Schema: "public", Table: "trips", Limit: 1}
	if _, err := reader.Rows(w.ctx, q); !errors.Is(err, ErrNotReadable) {
		t.Errorf("without a right to it: %v", err)
	}
	w.Exec("GRANT SELECT ON trips TO sluice_reader")
	if _, err := reader.Rows(w.ctx, q); err != nil {
		t.Error(err)
	}
}

func TestChunksAreWrittenInTime(t *testing.T) {
	var out strings.Builder
	w := &chunked{out: &out}
	w.line([]byte("a"))
	if err := w.flushIfDue(); err != nil || out.Len() != 0 {
		t.Errorf("written is %q at once (%v)", out.String(), err)
	}
	w.flushed = time.Now().Add(-chunkTime)
	if err := w.flushIfDue(); err != nil || out.String() != "a\n" {
		t.Errorf("written is %q in time (%v)", out.String(), err)
	}
}
