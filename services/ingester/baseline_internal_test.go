package ingester

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

func keyOf(t testing.TB, secret string, spec events.Spec, address, name, charset string) string {
	t.Helper()
	sealer, err := seal.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	a := &attempt{Service: &Service{parts: Parts{Sealer: sealer}}, job: events.Job{Spec: spec}}
	return a.sourceKey(address, name, charset)
}

// TestSourceKeyOfAStatement holds for each field of a job's spec whether it makes other rows of the same bytes, or makes them
// elsewhere, so that one that is new has to be thought of.
func TestSourceKeyOfAStatement(t *testing.T) {
	counts := map[string]bool{
		"Schema": true, "Table": true, "Key": true, "CSV": true, "Null": true, "ColumnNames": true, "ExtraFields": true, "MaxBadRows": true,
		"Types": true, "Lineage": true,
		"Mode": false, "Priority": false, "Ordered": false, "SkipUnchanged": false, "CreatedAt": false,
		"Labels": false, "Submitter": false,
		"Source": false, // but for what another test holds
	}
	yes := true
	changed := events.Spec{
		Source: events.Source{URL: "http://x", Sealed: []byte("x")}, Schema: "x", Table: "x", Mode: "x", Key: []string{"x"}, Priority: "x",
		Ordered: true, SkipUnchanged: true, CSV: events.CSV{Header: &yes}, Null: []string{}, ColumnNames: "x", ExtraFields: "x",
		MaxBadRows: events.BadRows{Count: 1}, Types: events.ColumnTypes{Infer: true}, CreatedAt: time.Unix(1, 0),
		Labels: map[string]string{"x": "x"}, Submitter: "x", Lineage: true,
	}
	key := seal.NewKey()
	plain := keyOf(t, key, events.Spec{}, "http://a", "a", "")
	for i := range reflect.TypeFor[events.Spec]().NumField() {
		var spec events.Spec
		field := reflect.TypeFor[events.Spec]().Field(i).Name
		value := reflect.ValueOf(changed).Field(i)
		if value.IsZero() {
			t.Errorf("the test does not change %s", field)
		}
		reflect.ValueOf(&spec).Elem().Field(i).Set(value)
		want, known := counts[field]
		if got := keyOf(t, key, spec, "http://a", "a", "") != plain; !known || got != want {
			t.Errorf("%s makes another key: %t, want %t (known: %t)", field, got, want, known)
		}
	}
}

// TestSourceKeyOfASource holds by what sources are told apart, and that what may be secret of it cannot be read or tried out.
func TestSourceKeyOfASource(t *testing.T) {
	key := seal.NewKey()
	of := func(url, member, address, name string) string {
		return keyOf(t, key, events.Spec{Source: events.Source{URL: url, Member: member, Sealed: []byte(address)}}, address, name, "")
	}
	const shown, whole = "http://files.test/a.csv", "http://ann:secret@files.test/a.csv?month=5"
	plain := of(shown, "", whole, "a.csv")
	if plain != of(shown, "", whole, "b.csv") || len(plain) != 64 {
		t.Errorf("the key is %q, and another one by the name that the server gives", plain)
	}
	for what, other := range map[string]string{
		"query":  of(shown, "", strings.Replace(whole, "5", "6", 1), "a.csv"),
		"user":   of(shown, "", strings.Replace(whole, "ann", "bob", 1), "a.csv"),
		"member": of(shown, "b.csv", whole, "a.csv"),
		"secret": keyOf(t, seal.NewKey(), events.Spec{Source: events.Source{URL: shown}}, whole, "a.csv", ""),
		"upload": of("upload:1", "", "upload:1", "a.csv"),
	} {
		if other == plain {
			t.Errorf("another %s makes no other key", what)
		}
	}
	if of("upload:1", "", "upload:1", "a.csv") != of("upload:2", "", "upload:2", "a.csv") {
		t.Error("the same upload under another id has another key")
	}
	if of("upload:1", "", "upload:1", "a.csv") == of("upload:1", "", "upload:1", "b.csv") {
		t.Error("an upload of another name has the same key")
	}
}

// TestSourceKeyOfACharset holds that what the server says of the encoding counts where it may decide, as it makes other rows of the
// same bytes.
func TestSourceKeyOfACharset(t *testing.T) {
	key := seal.NewKey()
	of := func(stated, charset string) string {
		return keyOf(t, key, events.Spec{CSV: events.CSV{Encoding: stated}}, "http://a", "a", charset)
	}
	if of("", "") == of("", "koi8-r") || of("", "windows-1252") == of("", "koi8-r") || of("koi8-r", "") == of("", "koi8-r") {
		t.Error("another charset makes no other key")
	}
	if of("", "KOI8-R") != of("", "koi8-r") || of("utf-8", "") != of("utf-8", "koi8-r") {
		t.Error("what makes no difference makes another key")
	}
}

func TestIsVersion(t *testing.T) {
	tagged, err := json.Marshal(source.Validator{ETag: `"1"`, Place: "p"})
	if err != nil {
		t.Fatal(err)
	}
	warned := func(code string) events.Result { return events.Result{Warnings: []events.Warning{{Code: code}}} }
	for name, tt := range map[string]struct {
		baseline postgres.Baseline
		want     bool
	}{
		"same":             {postgres.Baseline{Source: tagged, Result: warned(events.WarnShortRow)}, true},
		"of unknown end":   {postgres.Baseline{Source: tagged, Result: warned(events.WarnLengthUnverified)}, false},
		"nothing kept":     {postgres.Baseline{}, false},
		"nothing known":    {postgres.Baseline{Source: json.RawMessage("{}")}, false},
		"not understood":   {postgres.Baseline{Source: json.RawMessage(`{"etag":1}`)}, false},
		"another":          {postgres.Baseline{Source: json.RawMessage(`{"etag":"\"2\"","place":"p"}`)}, false},
		"somewhere else's": {postgres.Baseline{Source: json.RawMessage(`{"etag":"\"1\"","place":"q"}`)}, false},
	} {
		if got := isVersion(tt.baseline, source.Validator{ETag: `"1"`, Place: "p"}); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
