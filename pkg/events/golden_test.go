package events_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

// TestGoldens holds that every example ever written stays readable and that nothing in it gets lost.
func TestGoldens(t *testing.T) {
	for _, kind := range events.Types() {
		t.Run(string(kind), func(t *testing.T) {
			data := readGolden(t, string(kind))
			e, err := events.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if e.Type != kind || e.Data.Type() != kind {
				t.Errorf("decoded as %s with the data of %s", e.Type, e.Data.Type())
			}
			sameJSON(t, encode(t, e), data)
			if made := events.New(e.JobID, e.Position, e.At, e.By, e.Data); !reflect.DeepEqual(made, e) {
				t.Errorf("New makes %+v\nof the golden's parts, want %+v", made, e)
			}
		})
	}
}

// TestGoldenJobs holds, besides, that a job which states nothing about its file says nothing of it.
func TestGoldenJobs(t *testing.T) {
	for name, spec := range map[string]events.Spec{"job": goldenSpec(t), "job-stated": statedSpec(t), "job-upload": uploadSpec(t),
		"job-typed": typedSpec(t)} {
		t.Run(name, func(t *testing.T) {
			data := readGolden(t, name)
			job, err := events.DecodeJob(data)
			if err != nil {
				t.Fatal(err)
			}
			if want := events.NewJob(jobID, 1, spec); !reflect.DeepEqual(job, want) {
				t.Errorf("decoded to %+v\nwant %+v", job, want)
			}
			sameJSON(t, encode(t, job), data)
		})
	}
}

// TestEarlierGoldens holds that examples from before a field was added stay readable, without that field.
func TestEarlierGoldens(t *testing.T) {
	e, err := events.Decode(readGolden(t, "earlier/succeeded"))
	if err != nil {
		t.Fatal(err)
	}
	want := goldenSuccess()
	want.Result.Dialect = events.Dialect{Encoding: "UTF-8", Delimiter: ",", Quote: `"`, Escape: `"`, Header: true}
	want.Result.ResumedFrom = 0
	if !reflect.DeepEqual(e.Data, events.Payload(want)) {
		t.Errorf("decoded to %+v\nwant %+v", e.Data, want)
	}
}

// TestGoldensComplete holds that there is a golden for each type, those for the job, and no other.
func TestGoldensComplete(t *testing.T) {
	want := []string{"job", "job-stated", "job-typed", "job-upload"}
	for _, kind := range events.Types() {
		want = append(want, string(kind))
	}
	slices.Sort(want)
	if got := goldenNames(t); !slices.Equal(got, want) {
		t.Errorf("there are goldens for %q, want %q", got, want)
	}
}

func TestGoldenValues(t *testing.T) {
	const worker = "ingester/worker-1-a1b2"
	at := func(hour, minute, second, ms int) time.Time {
		return time.Date(2026, 3, 2, hour, minute, second, ms*1e6, time.UTC)
	}
	event := func(id string, pos events.Position, at time.Time, by string, data events.Payload) events.Event {
		return events.Event{
			V: 1, ID: jobID + id, JobID: jobID, Type: data.Type(), Position: pos, At: at, By: by, Data: data,
		}
	}
	size := int64(37739295)
	goldens := []events.Event{
		event(".1.0.0.created", events.Position{Run: 1}, at(8, 15, 4, 120), "api", events.Created{
			Spec:        goldenSpec(t),
			RequestHash: "12d0c821e641529cd5efaa8f7709297b64c0b6a6ee74b788cc199c3c294cf496",
		}),
		event(".1.0.0.queued", events.Position{Run: 1}, at(8, 15, 4, 131), "api", events.Queued{Sequence: 4711}),
		event(".1.1.5.retrying", events.Position{Run: 1, Claim: 1, Attempt: 1, Seq: 5}, at(8, 15, 7, 614), worker, events.Retrying{
			Failure: &events.Failure{
				Code: events.CodeSourceTruncated,
				Message: "https://data.example.org/trips/tripsdata.csv broke off after 20971520 of 37739295 bytes; " +
					"check its server or try again later",
				Retryable: true,
			},
			NextAttemptAt: at(8, 15, 12, 901),
			Figures:       events.Figures{Phase: events.PhaseLoading, Bytes: 20971520, TotalBytes: &size, Rows: 611413},
		}),
		event(".1.failed", events.Position{Run: 1, Claim: 2, Attempt: 2, Seq: 6}, at(8, 15, 17, 377), worker, events.Failed{
			Failure: *(&events.Failure{
				Code: events.CodeTooManyFields,
				Message: `line 734018, column 5: the value "50" has no column, as the file has only 4 columns; ` +
					`quote values that contain a ',', or name the column in the header`,
			}).AtPlace(734018, 5, 25176781),
			Figures: events.Figures{Phase: events.PhaseLoading, Bytes: 25231360, TotalBytes: &size, Rows: 734016},
		}),
		event(".3.succeeded", events.Position{Run: 3, Claim: 4, Attempt: 1, Seq: 9}, at(9, 2, 18, 900), "ingester/worker-2-c3d4",
			goldenSuccess()),
	}
	for _, want := range goldens {
		t.Run(string(want.Type), func(t *testing.T) {
			got, err := events.Decode(readGolden(t, string(want.Type)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("decoded to %+v\nwant %+v", got, want)
			}
		})
	}
}

func goldenSuccess() events.Succeeded {
	size := int64(37739297)
	return events.Succeeded{
		Result: events.Result{
			Outcome: "loaded", Schema: "public", Table: "taxi_trips_2026_02", Rows: 1100271, Bytes: size,
			Columns: []events.Column{
				{Original: "", Name: "column_1", Type: "text", Rule: "blank"},
				{Original: "VendorID", Name: "VendorID", Type: "text"},
				{Original: "tpep_pickup_datetime", Name: "tpep_pickup_datetime", Type: "text"},
				{Original: "fare_amount", Name: "fare_amount", Type: "text"},
			},
			Dialect: events.Dialect{
				Encoding: "UTF-8", Delimiter: ",", Quote: `"`, Escape: `"`, Header: true, HeaderRows: 1,
				LineEnd: events.LineEndLF, Confidence: 0.98,
			},
			Warnings:    []events.Warning{{Code: events.WarnShortRow, Count: 2, Lines: []int64{88120, 731906}}},
			Checksum:    "sha256:129707ffe04303442a1d2b7132615db1fe3d4beca5435230ce4d9c6c80f2a948",
			ResumedFrom: 25165801,
			Durations:   events.Durations{QueuedMS: 2827360, LoadingMS: 7420},
		},
		Figures: events.Figures{Phase: events.PhaseDone, Bytes: size, TotalBytes: &size, Rows: 1100271},
	}
}

func goldenSpec(t *testing.T) events.Spec {
	t.Helper()
	sealed, err := base64.StdEncoding.DecodeString("UzMpYT0IMcly7r7tpwtMfCz0cNZ83f4/M2Aeqj7uv+XgF8BJ9EJKwAu7Kn" +
		"/yVYHGI8L4YpdnC4eOsWh/VYQ2txnZFhWk4B5r8xRSaU2URH3Hq+rIzFNqWA==")
	if err != nil {
		t.Fatal(err)
	}
	return events.Spec{
		Source: events.Source{URL: "https://data.example.org/trips/tripsdata.csv", Sealed: sealed},
		Schema: "public", Table: "taxi_trips_2026_02", Mode: events.Create, Priority: events.Urgent,
		CreatedAt: time.Date(2026, 3, 2, 8, 15, 4, 120e6, time.UTC),
	}
}

// statedSpec is the golden spec with everything said that can be said about a file.
func statedSpec(t *testing.T) events.Spec {
	t.Helper()
	spec := goldenSpec(t)
	spec.Mode, spec.Key = events.Upsert, []string{"VendorID", "tpep_pickup_datetime"}
	spec.Ordered = true
	spec.CSV = events.CSV{
		Encoding: "windows-1252", Delimiter: new(";"), Quote: new("'"), Escape: new(`\`),
		Header: new(true), HeaderRows: 2, SkipRows: new(0), Comment: "#",
	}
	spec.Null = []string{"", "NA"}
	spec.ColumnNames, spec.ExtraFields = events.SnakeNames, events.RejectExtra
	spec.MaxBadRows, spec.Lineage = events.BadRows{Percent: 2.5}, true
	spec.Labels, spec.Submitter = map[string]string{"team": "billing"}, "5b1f0c9d"
	return spec
}

// uploadSpec is the golden spec for a file of an archive that was uploaded.
func uploadSpec(t *testing.T) events.Spec {
	t.Helper()
	spec := goldenSpec(t)
	spec.Source = events.Source{URL: "upload:019cad9d-0b7e-7c11-8a4e-5d1f1b0c2a33", Member: "2026/tripsdata.csv"}
	spec.Mode, spec.SkipUnchanged = events.Replace, true
	spec.CSV.AllowHTML = true
	spec.Types.Infer = true
	return spec
}

// typedSpec is the golden spec with everything said that can be said about types.
func typedSpec(t *testing.T) events.Spec {
	t.Helper()
	spec := goldenSpec(t)
	spec.Types = events.ColumnTypes{Infer: true, Stated: map[string]events.ColumnType{
		"VendorID": {Type: "integer"},
		"fare":     {Type: "numeric(9,2)", Decimal: ",", Group: ".", Null: []string{"n/a", ""}},
		"pickup":   {Type: "timestamptz", Format: "dd.mm.yyyy hh:mi", Zone: "Europe/Berlin"},
		"paid":     {Type: "boolean", True: []string{"ja"}, False: []string{"nein"}},
	}}
	return spec
}

func goldenNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	slices.Sort(files)
	return files
}

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sameJSON compares values, not spelling; numbers are compared as they are written.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	if !reflect.DeepEqual(parse(t, got), parse(t, want)) {
		t.Errorf("encoded as\n%s\nwant\n%s", got, want)
	}
}

func parse(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
