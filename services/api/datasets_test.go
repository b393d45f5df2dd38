package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/api/dataset"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// warehouse gives the API a database to read from.
func (e *env) warehouse(t testing.TB) *testenv.Warehouse {
	t.Helper()
	w := testenv.NewWarehouse(t)
	reader, err := dataset.Open(dataset.Config{URL: w.ReaderURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	e.api.config.Datasets = reader
	return w
}

func TestDatasetsAreListedAndTold(t *testing.T) {
	e := newEnv(t)
	w := e.warehouse(t)
	w.Exec("CREATE SCHEMA side; CREATE TABLE trips (id bigint PRIMARY KEY, fare numeric(9, 2)); CREATE TABLE side.trips (id int)")
	job := w.Dataset("public", "trips", 7)
	w.Dataset("side", "trips", 0)
	first := decoded[openapi.DatasetList](t, e.get(t, "/v1/datasets?limit=1"))
	if len(first.Datasets) != 1 || first.NextCursor == nil {
		t.Fatalf("the first page is %+v", first)
	}
	second := decoded[openapi.DatasetList](t, e.get(t, "/v1/datasets?limit=1&cursor="+*first.NextCursor))
	if len(second.Datasets) != 1 || second.NextCursor != nil || second.Datasets[0].Schema != "side" {
		t.Errorf("the second page is %+v", second)
	}
	if one := decoded[openapi.DatasetList](t, e.get(t, "/v1/datasets?schema=side")); len(one.Datasets) != 1 {
		t.Errorf("of the schema there are %+v", one)
	}
	a := e.get(t, "/v1/datasets/trips")
	d := decoded[openapi.Dataset](t, a)
	if a.status != http.StatusOK || d.JobID != job || !d.MadeBySluice || d.Mode != openapi.ModeCreate || len(d.Columns) != 2 ||
		d.Columns[1] != (openapi.DatasetColumn{Name: "fare", Type: "numeric(9,2)", Nullable: true}) || d.Columns[0].Nullable {
		t.Errorf("it is %d %s", a.status, a.body)
	}
	if again := e.call(t, http.MethodGet, "/v1/datasets/trips", "", "If-None-Match: "+a.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("known already, it is answered with %d %s", again.status, again.body)
	}
	w.Exec("ALTER TABLE trips ADD COLUMN tip numeric")
	if again := e.call(t, http.MethodGet, "/v1/datasets/trips", "", "If-None-Match: "+a.header.Get("ETag")); again.status != http.StatusOK {
		t.Errorf("changed, it is answered with %d", again.status)
	}
	if a := e.get(t, "/v1/datasets/trips?schema=side"); !strings.Contains(string(a.body), `"side"`) {
		t.Errorf("in the other schema it is %s", a.body)
	}
}

func TestDatasetNamesInPaths(t *testing.T) {
	e := newEnv(t)
	w := e.warehouse(t)
	w.Exec("CREATE TABLE y (id int)")
	for _, table := range []string{
		"x; DROP TABLE y", `"quoted"`, "a/b", "../y", "..", ".", "%2f", "100%", "a+b c", "ä €", "?x=1", "#", "a\r\nX-Injected: 1", "*", ":table", "rows", "a\\b", "'", "=1+1",
	} {
		name := pgx.Identifier{table}.Sanitize()
		w.Exec("CREATE TABLE " + name + ` (id int, "c,d" text); INSERT INTO ` + name + ` VALUES (1, 'x')`)
		w.Dataset("public", table, 1)
		path := "/v1/datasets/" + pathEscaped(table)
		if d := decoded[openapi.Dataset](t, e.get(t, path)); d.Table != table {
			t.Errorf("%s is told as %+v", path, d)
		}
		if a := e.get(t, path+"/rows?filter="+url.QueryEscape("c,d:eq:x")+"&columns="+url.QueryEscape(`"c,d",id`)); string(a.body) != `{"rows":[{"c,d":"x","id":1}]}`+"\n" {
			t.Errorf("%s/rows is %d %s", path, a.status, a.body)
		}
		a := e.get(t, path+"/rows?format=csv")
		if string(a.body) != "id,\"c,d\"\r\n1,x\r\n" || a.header.Get("X-Injected") != "" ||
			!strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename") || strings.ContainsAny(a.header.Get("Content-Disposition"), "/\r\n") {
			t.Errorf("%s as CSV is %s of %q", path, a.header.Get("Content-Disposition"), a.body)
		}
	}
	for _, table := range []string{"none", "Y", "y", "y\x00", "\xff", strings.Repeat("n", 1000), "pg_class"} {
		path := "/v1/datasets/" + pathEscaped(table)
		refused(t, e.get(t, path), refusal.DatasetNotFound)
		refused(t, e.get(t, path+"/rows"), refusal.DatasetNotFound)
		refused(t, e.get(t, path+"/rows?format=csv"), refusal.DatasetNotFound)
		refused(t, e.get(t, path+"/rows?schema=sluice"), refusal.DatasetNotFound)
	}
}

// pathEscaped escapes what a client may resolve, too.
func pathEscaped(table string) string { return strings.ReplaceAll(url.PathEscape(table), ".", "%2E") }

func TestAttachment(t *testing.T) {
	for name, want := range map[string]string{
		"trips.csv":           "attachment; filename=trips.csv",
		"a b.csv":             `attachment; filename="a b.csv"`,
		"a\r\nSet-Cookie: x":  `attachment; filename="a__Set-Cookie_ x"`,
		"../\\x\".csv":        "attachment; filename=.._ _x_.csv",
		"ä.csv":               "attachment; filename*=utf-8''%C3%A4.csv",
		"a;b=\xffc\u202e.csv": "attachment; filename*=utf-8''a%3Bb%3D_c%E2%80%AE.csv",
	} {
		if name == "../\\x\".csv" {
			want = "attachment; filename=\"..__x_.csv\""
			want = strings.ReplaceAll(want, `"`, "")
		}
		if got := attachment(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// TestWithoutDatasets holds that what needs the database is refused where there is none, and that everything else works.
func TestWithoutDatasets(t *testing.T) {
	e := newEnv(t)
	targets := []string{"/v1/datasets", "/v1/datasets/x", "/v1/datasets/x/rows", "/v1/datasets/x/rows?format=csv", "/v1/jobs/" + uuid.NewString() + "/rejects"}
	for _, target := range targets {
		p := refused(t, e.get(t, target), refusal.DatasetsUnavailable)
		if p.Detail == nil || !strings.Contains(*p.Detail, "SLUICE_POSTGRES_URL") {
			t.Errorf("%s: %+v", target, p)
		}
	}
	reader, err := dataset.Open(dataset.Config{URL: "postgres://me:hush@127.0.0.1:1/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	e.api.config.Datasets = reader
	for _, target := range targets {
		if a := e.get(t, target); strings.Contains(string(a.body), "127.0.0.1") || strings.Contains(string(a.body), "hush") {
			t.Errorf("%s tells %s", target, a.body)
		} else {
			refused(t, a, refusal.DatasetsUnavailable)
		}
	}
	e.create(t, example)
	refused(t, e.call(t, http.MethodDelete, "/v1/datasets/x", ""), refusal.IngesterUnavailable)
}

// TestDatasetsAreDropped has an ingester drop tables, or say why they stand.
func TestDatasetsAreDropped(t *testing.T) {
	e := newEnv(t)
	nc := e.nats.Connect("ingester")
	asked := make(chan events.Drop, 1)
	if _, err := nc.Subscribe(events.SubjectIngesterDrop, func(m *nats.Msg) {
		var question events.Drop
		if err := json.Unmarshal(m.Data, &question); err != nil {
			t.Error(err)
		}
		asked <- question
		answer := events.Dropped{}
		if question.Table != "fine" {
			answer.Failure = events.Failf(events.Code(question.Table), "told to fail")
		}
		data, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		if err := m.Respond(data); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if a := e.call(t, http.MethodDelete, "/v1/datasets/fine?schema=side", ""); a.status != http.StatusNoContent || len(a.body) > 0 {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	if got := <-asked; got != (events.Drop{Schema: "side", Table: "fine"}) {
		t.Errorf("asked is %+v", got)
	}
	for said, want := range map[events.Code]refusal.Code{
		events.CodeDatasetNotFound: refusal.DatasetNotFound, events.CodeDatasetNotOwned: refusal.DatasetNotOwned,
		events.CodeDependentsExist: refusal.DependentsExist, events.CodeTableBusy: refusal.TableBusy, events.CodeNotPermitted: refusal.NotPermitted,
		events.CodeDatabaseUnavailable: refusal.DatabaseUnavailable, events.CodeDatabaseError: refusal.DatabaseUnavailable,
	} {
		p := refused(t, e.call(t, http.MethodDelete, "/v1/datasets/"+string(said), ""), want)
		if got := <-asked; got.Schema != "public" || p.Detail == nil || *p.Detail != "told to fail" {
			t.Errorf("%s: asked is %+v, answered %+v", said, got, p)
		}
	}
}
