package events_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/pkg/events"
)

func TestGoldensMatchSchemas(t *testing.T) {
	schemas := newSchemas()
	for _, name := range goldenNames(t) {
		schema, _, _ := strings.Cut(name, "-")
		if err := schemas.validate(t, schema, readGolden(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPayloadsMatchSchemas holds that whatever can be made with the Go types is described by the schemas.
func TestPayloadsMatchSchemas(t *testing.T) {
	schemas, seen := newSchemas(), map[events.Type]bool{}
	for name, data := range payloads(t) {
		seen[data.Type()] = true
		t.Run(name, func(t *testing.T) {
			pos := events.Position{Run: 2, Claim: 3, Attempt: 1, Seq: 4}
			if data.Type() == events.TypeCreated {
				pos = events.Position{Run: 1}
			}
			e := events.New(jobID, pos, time.Now(), "ingester/worker-1-a1b2", data)
			if err := schemas.validate(t, string(e.Type), encode(t, e)); err != nil {
				t.Error(err)
			}
			back, err := events.Decode(encode(t, e))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(encode(t, back), encode(t, e)) {
				t.Errorf("came back as %+v, want %+v", back, e)
			}
		})
	}
	for _, kind := range events.Types() {
		if !seen[kind] {
			t.Errorf("there is no payload of type %s", kind)
		}
	}
}

func TestJobMatchesSchema(t *testing.T) {
	job := events.NewJob(jobID, 3, events.Spec{
		Source: events.Source{URL: "http://localhost:8000/tripsdata.csv"}, Schema: "public",
		Mode: events.Create, Priority: events.Normal, CreatedAt: time.Now(),
	})
	if err := newSchemas().validate(t, "job", encode(t, job)); err != nil {
		t.Error(err)
	}
}

// TestSchemasRefuse spoils a golden in one place and expects its schema to notice.
func TestSchemasRefuse(t *testing.T) {
	tests := []struct{ golden, old, new string }{
		{"created", `"v": 1`, `"v": 2`},
		{"created", `"v": 1,`, ``},
		{"created", `"by": "api"`, `"by": ""`},
		{"created", `"run": 1`, `"run": 2`},
		{"created", `"job_id": "019cad9d-`, `"job_id": "019cad9d`},
		{"created", `.created"`, `.queued"`},
		{"created", `"type": "created"`, `"type": "queued"`},
		{"created", `"at": "2026-03-02T`, `"at": "2026-02-30T`},
		{"created", `"at": "2026-03-02T08:15:04.12Z"`, `"at": "2026-03-02T08:15:04.12+01:00"`},
		{"created", `"created_at": "2026-03-02T`, `"created_at": "2026-03-02 `},
		{"created", `tripsdata.csv"`, `tripsdata.csv?token=x"`},
		{"created", `https://`, `https://me:secret@`},
		{"created", `"https://`, `"`},
		{"created", `"priority": "urgent"`, `"priority": "high"`},
		{"created", `"mode": "create"`, `"mode": "destroy"`},
		{"created", `"request_hash": "12d0`, `"request_hash": "`},
		{"job", `"run": 1`, `"run": 0`},
		{"job", `"schema": "public",`, ``},
		{"job-stated", `"encoding": "windows-1252"`, `"encoding": "Windows 1252"`},
		{"job-stated", `"delimiter": ";"`, `"delimiter": ";;;;;;;;;"`},
		{"job-stated", `"quote": "'"`, `"quote": "''"`},
		{"job-stated", `"escape": "\\"`, `"escape": null`},
		{"job-stated", `"header": true`, `"header": 1`},
		{"job-stated", `"header_rows": 2`, `"header_rows": 0`},
		{"job-stated", `"skip_rows": 0`, `"skip_rows": -1`},
		{"job-stated", `"comment": "#"`, `"comment": ""`},
		{"job-stated", `"NA"`, `null`},
		{"job-stated", `"column_names": "snake"`, `"column_names": "original"`},
		{"job-stated", `"extra_fields": "reject"`, `"extra_fields": "rescue"`},
		{"job-stated", `"max_bad_rows": "2.5%"`, `"max_bad_rows": "2.5"`},
		{"job-stated", `"max_bad_rows": "2.5%"`, `"max_bad_rows": "0.0%"`},
		{"job-stated", `"max_bad_rows": "2.5%"`, `"max_bad_rows": "100.1%"`},
		{"job-stated", `"max_bad_rows": "2.5%"`, `"max_bad_rows": -1`},
		{"job-stated", `"max_bad_rows": "2.5%"`, `"max_bad_rows": 2.5`},
		{"job-upload", `"member": "2026/tripsdata.csv"`, `"member": ""`},
		{"job-upload", `"types": "infer"`, `"types": "guess"`},
		{"job-typed", `"*": "infer"`, `"*": "guess"`},
		{"job-typed", `"type": "integer"`, `"type": ""`},
		{"job-typed", `"type": "integer"`, `"kind": "integer"`},
		{"job-typed", `"decimal": ","`, `"decimal": ""`},
		{"job-typed", `"ja"`, `null`},
		{"job-upload", `"skip_unchanged": true`, `"skip_unchanged": "yes"`},
		{"job-stated", `"lineage": true`, `"lineage": "yes"`},
		{"redriven", `"run": 2`, `"run": 1`},
		{"redriven", `"data": {}`, `"data": null`},
		{"queued", `"sequence": 4711`, `"sequence": 0`},
		{"queued", `"attempt": 0`, `"attempt": -1`},
		{"started", `"claim": 1`, `"claim": 0`},
		{"started", `"worker": "worker-1-a1b2"`, `"worker": ""`},
		{"progress", `"phase": "loading"`, `"phase": "waiting"`},
		{"progress", `"rows": 366847`, `"rows": -1`},
		{"progress", `"rows": 366847`, `"rows": 1.5`},
		{"retrying", `"next_attempt_at": "2026-03-02T08:15:12.901Z"`, `"next_attempt_at": "soon"`},
		{"cancel_requested", `"seq": 0`, `"seq": "0"`},
		{"succeeded", `"outcome": "loaded"`, `"outcome": "lost"`},
		{"succeeded", `"name": "column_1"`, `"name": ""`},
		{"succeeded", `"rule": "blank"`, `"rule": ""`},
		{"succeeded", `"code": "short_row"`, `"code": "odd_row"`},
		{"succeeded", `"count": 2`, `"count": 0`},
		{"succeeded", `"sha256:`, `"md5:`},
		{"succeeded", `"header": true,`, ``},
		{"succeeded", `"header_rows": 1,`, ``},
		{"succeeded", `"line_end": "lf"`, `"line_end": ""`},
		{"succeeded", `"confidence": 0.98`, `"confidence": 98`},
		{"succeeded", `"queued_ms": 2827360,`, ``},
		{"failed", `"code": "too_many_fields"`, `"code": "bad_luck"`},
		{"failed", `"line": 734018`, `"line": 0`},
		{"failed", `"byte_offset": 25176781`, `"byte_offset": null`},
		{"cancelled", `"bytes": 14680064,`, ``},
	}
	schemas := newSchemas()
	for _, tt := range tests {
		golden := string(readGolden(t, tt.golden))
		schema, _, _ := strings.Cut(tt.golden, "-")
		if strings.Count(golden, tt.old) != 1 {
			t.Errorf("%s: %s is there %d times", tt.golden, tt.old, strings.Count(golden, tt.old))
			continue
		}
		spoilt := strings.Replace(golden, tt.old, tt.new, 1)
		if schemas.validate(t, schema, []byte(spoilt)) == nil {
			t.Errorf("%s: %s instead of %s is let through", tt.golden, tt.new, tt.old)
		}
	}
}

// TestSchemaEnums holds that the schemas know the words that the Go constants know.
func TestSchemaEnums(t *testing.T) {
	tests := []struct {
		at   string
		want []string
	}{
		{"/$defs/envelope/properties/type", words(events.Types())},
		{"/$defs/failure/properties/code", words(events.Codes())},
		{"/$defs/spec/properties/priority", words(events.Priorities())},
		{"/$defs/spec/properties/mode", words(events.Modes())},
		{"/$defs/figures/properties/phase", words([]events.Phase{
			events.PhaseOpening, events.PhaseLoading, events.PhasePublishing, events.PhaseDone,
		})},
		{"/$defs/warning/properties/code", words([]string{
			events.WarnShortRow, events.WarnLongRow, events.WarnLengthUnverified, events.WarnUncertain, events.WarnTitleLines,
			events.WarnStrayQuote, events.WarnExtraFields,
		})},
		{"/$defs/result/properties/outcome", words([]string{events.OutcomeLoaded, events.OutcomeUnchanged})},
		{"/$defs/spec/properties/column_names", words([]events.ColumnNames{events.SnakeNames})},
		{"/$defs/spec/properties/extra_fields", words([]events.ExtraFields{events.RejectExtra})},
		{"/$defs/dialect/properties/line_end", words([]string{
			events.LineEndLF, events.LineEndCRLF, events.LineEndCR, events.LineEndMixed, events.LineEndNone,
		})},
	}
	schemas := newSchemas()
	for _, tt := range tests {
		var got []string
		for _, value := range schemas.compile(t, "common.json#"+tt.at).Enum.Values {
			got = append(got, value.(string))
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s allows %q, want %q", tt.at, got, tt.want)
		}
	}
}

func words[S ~string](list []S) []string {
	var sorted []string
	for _, s := range list {
		sorted = append(sorted, string(s))
	}
	slices.Sort(sorted)
	return sorted
}

// payloads returns each payload with everything in it, and those that can do without something also bare.
func payloads(t *testing.T) map[string]events.Payload {
	t.Helper()
	size := int64(1 << 40)
	spec := events.Spec{
		Source: events.Source{URL: "https://example.org/a%20b.csv", Sealed: []byte("sealed")},
		Schema: "public", Table: "trips", Mode: events.Create, Priority: events.Urgent, CreatedAt: time.Now(),
	}
	bare := spec
	bare.Source, bare.Table, bare.Priority = events.Source{URL: "http://localhost:8000/"}, "", events.Normal
	told := statedSpec(t)
	small := bare
	small.CSV = events.CSV{Delimiter: new(""), Quote: new(""), Escape: new(""), Header: new(false)}
	small.Null, small.MaxBadRows = []string{}, events.BadRows{Count: 1}
	figures := events.Figures{
		Phase: events.PhaseLoading, Bytes: 5, TotalBytes: &size, Rows: 2, Rejected: 1, BytesPerSecond: 3,
	}
	success := goldenSuccess()
	success.Result.Warnings = append(success.Result.Warnings, events.Warning{Code: events.WarnLengthUnverified, Count: 1})
	success.Result.Dialect.Comment = "#"
	unchanged := events.Succeeded{Result: success.Result}
	unchanged.Result.Outcome, unchanged.Result.UnchangedSince, unchanged.Result.Rows = events.OutcomeUnchanged, jobID, 0
	unchanged.Result.Columns = []events.Column{{Original: "at", Name: "at", Type: "timestamp", Form: "T"}}
	unchanged.Result.Compression, unchanged.Result.Member = "zip", "2026/tripsdata.csv"
	plain := events.Succeeded{Result: success.Result}
	plain.Result.Warnings = nil
	plain.Result.Dialect = events.Dialect{Encoding: "UTF-8", LineEnd: events.LineEndNone}
	failure := events.Failf(events.CodeStrayQuote, "a stray quote").AtPlace(1, 1, 0)
	return map[string]events.Payload{
		"created":             events.Created{Spec: spec, RequestHash: strings.Repeat("0f", 32)},
		"created, bare":       events.Created{Spec: bare, RequestHash: strings.Repeat("0f", 32)},
		"created, told":       events.Created{Spec: told, RequestHash: strings.Repeat("0f", 32)},
		"created, uploaded":   events.Created{Spec: uploadSpec(t), RequestHash: strings.Repeat("0f", 32)},
		"created, told small": events.Created{Spec: small, RequestHash: strings.Repeat("0f", 32)},
		"redriven":            events.Redriven{},
		"queued":              events.Queued{Sequence: 1 << 63},
		"started":             events.Started{Spec: spec, Worker: "worker-1-a1b2"},
		"started, bare":       events.Started{Spec: bare, Worker: "w"},
		"progress":            events.Progress{Figures: figures},
		"progress, bare":      events.Progress{},
		"retrying":            events.Retrying{Failure: failure, NextAttemptAt: time.Now(), Figures: figures},
		"retrying, hand-over": events.Retrying{NextAttemptAt: time.Now()},
		"cancel_requested":    events.CancelRequested{},
		"succeeded":           success,
		"succeeded, bare":     plain,
		"succeeded, stands":   unchanged,
		"failed":              events.Failed{Failure: *failure, Figures: figures},
		"failed, bare":        events.Failed{Failure: *events.Failf(events.CodeInternal, "broken")},
		"cancelled":           events.Cancelled{Figures: figures},
		"cancelled, bare":     events.Cancelled{},
	}
}

// schemas compiles each schema once.
type schemas struct{ *jsonschema.Compiler }

func newSchemas() schemas {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return schemas{c}
}

func (s schemas) compile(t *testing.T, location string) *jsonschema.Schema {
	t.Helper()
	schema, err := s.Compile(filepath.Join("schema", filepath.FromSlash(location)))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func (s schemas) validate(t *testing.T, name string, data []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return s.compile(t, name+".json").Validate(value)
}
