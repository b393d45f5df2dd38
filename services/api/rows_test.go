package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const acceptsCSV = "Accept: text/csv"

func TestRowsInEveryFormat(t *testing.T) {
	e := newEnv(t)
	w := e.warehouse(t)
	w.Exec(`CREATE TABLE trips (id bigint PRIMARY KEY, t text); INSERT INTO trips VALUES (9223372036854775807, '=1'), (2, NULL), (1, '')`)
	w.Dataset("public", "trips", 3)
	const rows = "/v1/datasets/trips/rows"
	first := e.get(t, rows+"?limit=2")
	page := decoded[openapi.RowList](t, first)
	if page.NextCursor == nil || !strings.HasPrefix(string(first.body), `{"rows":[{"id":1,"t":""},{"id":2,"t":null}],"next_cursor":"`) {
		t.Fatalf("the first page is %s", first.body)
	}
	last := `{"rows":[{"id":9223372036854775807,"t":"=1"}]}` + "\n"
	if a := e.get(t, rows+"?limit=2&cursor="+*page.NextCursor); string(a.body) != last {
		t.Errorf("the last page is %s", a.body)
	}
	const ndjson, asCSV = `{"id":1,"t":""}` + "\n" + `{"id":2,"t":null}` + "\n" + `{"id":9223372036854775807,"t":"=1"}` + "\n", "id,t\r\n1,\"\"\r\n2,\r\n9223372036854775807,=1\r\n"
	for _, tt := range []struct{ query, accept, media, body string }{
		{"", "Accept: application/x-ndjson", ndjsonFormat, ndjson},
		{"?format=ndjson", acceptsCSV, ndjsonFormat, ndjson},
		{"", acceptsCSV, csvWithHeader, asCSV},
		{"?format=csv", "", csvWithHeader, asCSV},
		{"?format=csv&limit=1", "", csvWithHeader, "id,t\r\n1,\"\"\r\n"},
		{"?format=csv&limit=100000", "", csvWithHeader, asCSV},
		{"?format=csv&formula_safe=true", "", csvWithHeader, strings.Replace(asCSV, "=1", "'=1", 1)},
		{"?format=csv&filter=id:lt:2&filter=t:is:not_null&columns=t", "", csvWithHeader, "t\r\n\"\"\r\n"},
		{"?format=json&filter=id:gt:2", acceptsCSV, "application/json", last},
	} {
		a := e.call(t, http.MethodGet, rows+tt.query, "", tt.accept)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != tt.media || string(a.body) != tt.body {
			t.Errorf("%s %s: %d %s %q", tt.query, tt.accept, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := e.call(t, http.MethodGet, rows, "", "Accept: text/csv;q=0.5", "Accept: application/x-ndjson, text/html"); string(a.body) != ndjson {
		t.Errorf("accepted in two lines: %s %q", a.header.Get("Content-Type"), a.body)
	}
	for query, at := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "format=csv&limit=0": "limit", "format=xml": "format", "cursor=x": "cursor",
		"cursor=": "cursor", "format=csv&cursor=" + *page.NextCursor: "cursor", "columns=": "columns", "columns=x": "columns", "columns=id,id": "columns",
		"filter=id": "filter", "filter=id:eq:x": "filter", "filter=x:eq:1": "filter", "filter=id:eq:%00": "filter", "filter=": "filter",
		"format=csv&filter=id:eq:x": "filter", "formula_safe=maybe": "formula_safe", "schema=": "schema", "order=id": "order",
		strings.TrimPrefix(strings.Repeat("&filter=id:eq:1", 21), "&"): "filter",
	} {
		p := refused(t, e.get(t, rows+"?"+query), refusal.InvalidRequest)
		if p.Errors == nil || (*p.Errors)[0].Pointer != at {
			t.Errorf("%s: %+v", query, p)
		}
	}
	w.Exec("DELETE FROM sluice.datasets; DROP TABLE trips; CREATE TABLE trips (id bigint PRIMARY KEY)")
	w.Dataset("public", "trips", 0)
	refused(t, e.get(t, rows+"?cursor="+*page.NextCursor), refusal.CursorExpired)
	w.Exec("REVOKE ALL ON trips FROM sluice_reader")
	refused(t, e.get(t, rows), refusal.DatasetNotReadable)
}

// TestBrokenExportIsSeenToBe ends the database's side in the middle of an export.
func TestBrokenExportIsSeenToBe(t *testing.T) {
	e := newEnv(t)
	w := e.warehouse(t)
	w.Exec("CREATE TABLE trips AS SELECT n, repeat('x', 1000) AS text FROM generate_series(1, 100000) n")
	w.Dataset("public", "trips", 100000)
	ctx := testenv.Context(t)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/v1/datasets/trips/rows?format=csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.CopyN(io.Discard, response.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	w.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sluice-api'")
	n, err := io.Copy(io.Discard, response.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || n > 90<<20 {
		t.Errorf("the client reads %d bytes more and then %v", n, err)
	}
}

// TestSlowDownloadIsCutOff holds that a client that takes nothing does not keep a snapshot of the database.
func TestSlowDownloadIsCutOff(t *testing.T) {
	e, r := newLiveEnv(t, func(e *env) { e.cramped = true; e.limit = writeTime / 2 })
	w := e.warehouse(t)
	w.Exec("CREATE TABLE trips AS SELECT n, repeat('x', 1000) AS text FROM generate_series(1, 100000) n")
	w.Dataset("public", "trips", 100000)
	deaf := e.deaf(t, r, "/v1/datasets/trips/rows?format=ndjson")
	running := func(want int) func() error {
		return func() error {
			var n int
			err := w.Pool.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
				AND application_name = 'sluice-api' AND state <> 'idle'`).Scan(&n)
			if err == nil && n != want {
				err = fmt.Errorf("%d run", n)
			}
			return err
		}
	}
	testenv.Eventually(testenv.Context(t), t, "the export runs", running(1))
	ctx, cancel := context.WithTimeout(testenv.Context(t), 2*writeTime)
	defer cancel()
	testenv.Eventually(ctx, t, "the export ends", running(0))
	_ = deaf.SetReadDeadline(time.Now().Add(writeTime))
	if text, _ := io.ReadAll(deaf); bytes.Count(text, []byte("\n")) > 99000 {
		t.Errorf("%d bytes were sent", len(text))
	}
}

func TestRejectsOfAJob(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	w := e.warehouse(t)
	job, none, unknown := uuid.NewString(), uuid.NewString(), uuid.NewString()
	for _, id := range []string{job, none} {
		status.tell(events.Status{ID: id, State: events.StateSucceeded})
	}
	w.Exec(fmt.Sprintf(`INSERT INTO sluice.rejects SELECT '%s', 1, n, n * 10, nullif(n, 2), CASE WHEN n <> 2 THEN 'c' END, 'too_many_fields', 'it has 3', 'a,b,c'
		FROM generate_series(1, 3) n`, job))
	path := "/v1/jobs/" + job + "/rejects"
	first := decoded[openapi.RejectList](t, e.get(t, path+"?limit=2"))
	if len(first.Rejects) != 2 || first.NextCursor == nil || *first.NextCursor != "20" || first.Rejects[0].Column == nil || first.Rejects[1].Column != nil {
		t.Fatalf("the first page is %+v", first)
	}
	if last := decoded[openapi.RejectList](t, e.get(t, path+"?cursor=20")); len(last.Rejects) != 1 || last.NextCursor != nil || last.Rejects[0].Line != 3 {
		t.Errorf("the last page is %+v", last)
	}
	for _, a := range []answer{e.get(t, path+"?format=csv"), e.call(t, http.MethodGet, path, "", acceptsCSV)} {
		if rows, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll(); err != nil || len(rows) != 4 || rows[3][6] != "a,b,c" || rows[0][2] != "column" {
			t.Errorf("as CSV it is %q (%v)", a.body, err)
		}
	}
	if a := e.get(t, "/v1/jobs/"+none+"/rejects"); string(a.body) != `{"rejects":[]}`+"\n" {
		t.Errorf("without rejects it is %s", a.body)
	}
	if a := e.get(t, "/v1/jobs/"+none+"/rejects?format=csv"); strings.Count(string(a.body), "\n") != 1 {
		t.Errorf("without rejects it is %q", a.body)
	}
	for _, id := range []string{unknown, "x"} {
		refused(t, e.get(t, "/v1/jobs/"+id+"/rejects"), refusal.JobNotFound)
		refused(t, e.get(t, "/v1/jobs/"+id+"/rejects?format=csv"), refusal.JobNotFound)
	}
	refused(t, e.get(t, path+"?cursor=x"), refusal.InvalidRequest)
	refused(t, e.get(t, path+"?limit=1001"), refusal.InvalidRequest)
}
