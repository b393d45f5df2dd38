package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

func TestDestinationIsCarried(t *testing.T) {
	e := newEnv(t)
	longest := strings.Repeat("é", 31) + "x"
	columns := make([]string, 32)
	for i := range columns {
		columns[i] = fmt.Sprintf("c%d", i)
	}
	for said, want := range map[string]destination{
		`"table":"t"`: {"public", events.Create, nil},
		`"table":"t","schema":null,"mode":null,"key":null`: {"public", events.Create, nil},
		`"mode":"create"`:                                                            {"public", events.Create, nil},
		`"table":"t","mode":"replace"`:                                               {"public", events.Replace, nil},
		`"table":"t","mode":"append","schema":"Sluice"`:                              {"Sluice", events.Append, nil},
		`"schema":"` + longest + `"`:                                                 {longest, events.Create, nil},
		`"schema":"PG_x\"; --"`:                                                      {`PG_x"; --`, events.Create, nil},
		`"table":"t","mode":"upsert","key":["id"]`:                                   {"public", events.Upsert, []string{"id"}},
		`"table":"t","mode":"upsert","key":["I d","i D","\"%;--"]`:                   {"public", events.Upsert, []string{"I d", "i D", `"%;--`}},
		`"table":"t","mode":"upsert","key":["` + strings.Join(columns, `","`) + `"]`: {"public", events.Upsert, columns},
	} {
		made := e.create(t, bodyWith(said))
		spec := decoded[events.Spec](t, answer{body: e.specOf(t, made.ID)})
		if got := (destination{spec.Schema, spec.Mode, spec.Key}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: carried is %+v, want %+v", said, got, want)
		}
		if string(made.Mode) != string(want.Mode) {
			t.Errorf("%s: shown is mode %s", said, made.Mode)
		}
	}
}

func TestDestinationIsRefused(t *testing.T) {
	e := newEnv(t)
	upsert := `"table":"t","mode":"upsert",`
	for name, tt := range map[string]struct {
		said     string
		pointers string // of the fields at fault, separated by spaces
	}{
		"unknown mode":               {`"table":"t","mode":"merge"`, "/mode"},
		"empty mode":                 {`"table":"t","mode":""`, "/mode"},
		"mode in capitals":           {`"table":"t","mode":"Append"`, "/mode"},
		"mode of the wrong type":     {`"table":"t","mode":true`, "/mode"},
		"append without a table":     {`"mode":"append"`, "/table"},
		"replace without a table":    {`"mode":"replace"`, "/table"},
		"upsert with nothing else":   {`"mode":"upsert"`, "/table /key"},
		"upsert without a key":       {`"table":"t","mode":"upsert"`, "/key"},
		"key without a mode":         {`"table":"t","key":["id"]`, "/key"},
		"key with create":            {`"mode":"create","key":["id"]`, "/key"},
		"key with append":            {`"table":"t","mode":"append","key":["id"]`, "/key"},
		"empty key with append":      {`"table":"t","mode":"append","key":[]`, "/key"},
		"empty key":                  {upsert + `"key":[]`, "/key"},
		"key of the wrong type":      {upsert + `"key":"id"`, "/key"},
		"key of numbers":             {upsert + `"key":[1]`, "/key/0"},
		"null in the key":            {upsert + `"key":["id",null]`, "/key/1"},
		"empty name in the key":      {upsert + `"key":["","id"]`, "/key/0"},
		"long name in the key":       {upsert + `"key":["` + strings.Repeat("x", 64) + `"]`, "/key/0"},
		"long in bytes":              {upsert + `"key":["` + strings.Repeat("é", 32) + `"]`, "/key/0"},
		"line end in the key":        {upsert + `"key":["a\nb"]`, "/key/0"},
		"twice in the key":           {upsert + `"key":["id","day","id"]`, "/key/2"},
		"too many in the key":        {upsert + `"key":["` + strings.Join(make([]string, 33), `x","`) + `"]`, "/key /key/32"},
		"empty schema":               {`"schema":""`, "/schema"},
		"long schema":                {`"schema":"` + strings.Repeat("x", 64) + `"`, "/schema"},
		"NUL in the schema":          {`"schema":"a\u0000"`, "/schema"},
		"Sluice's own schema":        {`"schema":"sluice"`, "/schema"},
		"schema of the system":       {`"schema":"pg_catalog"`, "/schema"},
		"schema of a session":        {`"schema":"pg_temp"`, "/schema"},
		"information schema":         {`"schema":"information_schema"`, "/schema"},
		"schema of the wrong type":   {`"schema":["public"]`, "/schema"},
		"table and schema in one":    {`"table":"","schema":"pg_x","mode":"x","key":[],"priority":"x"`, "/table /schema /mode /key /priority"},
		"staging table of a job":     {`"table":"sluice_staging_x","mode":"append"`, "/table"},
		"empty table with a mode":    {`"table":"","mode":"append"`, "/table"},
		"a field of a later version": {`"table":"t","mode":"append","on_conflict":"skip"`, "/on_conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(tt.said), isJSON), refusal.InvalidRequest)
			if p.Errors == nil {
				t.Fatalf("answered %+v", p)
			}
			var pointers []string
			for _, f := range *p.Errors {
				pointers = append(pointers, f.Pointer)
			}
			if got := strings.Join(pointers, " "); got != tt.pointers {
				t.Errorf("fields at fault are %q, want %q", got, tt.pointers)
			}
		})
	}
	e.expectStored(t, 0)
}

func TestDestinationBelongsToTheKey(t *testing.T) {
	e := newEnv(t)
	said := []string{
		`"table":"t"`, `"table":"t","schema":"s"`, `"table":"t","mode":"append"`, `"table":"t","mode":"replace"`, `"table":"t","mode":"append","schema":"s"`,
		`"table":"t","mode":"upsert","key":["a"]`, `"table":"t","mode":"upsert","key":["a","b"]`, `"table":"t","mode":"upsert","key":["b","a"]`,
	}
	for i, first := range said {
		key := fmt.Sprintf("%sd%d", isKey, i)
		job := e.create(t, bodyWith(first), key)
		if again := e.create(t, bodyWith(first), key); again.ID != job.ID {
			t.Errorf("%s: repeated it is job %s", first, again.ID)
		}
		for _, other := range append(said[:i:i], said[i+1:]...) {
			refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(other), isJSON, key), refusal.IdempotencyConflict)
		}
	}
	plain := e.create(t, bodyWith(`"table":"t"`), isKey+"plain")
	if same := e.create(t, bodyWith(`"table":"t","schema":"public","mode":"create"`), isKey+"plain"); same.ID != plain.ID {
		t.Error("what goes without saying makes another request")
	}
}

// TestKeysOfBeforeModes holds that a request repeated from before there were modes is still the same one.
func TestKeysOfBeforeModes(t *testing.T) {
	e := newEnv(t)
	r := request{source: source{url: mustParse(t, exampleURL)}, table: "t", priority: events.Urgent, reading: reading{Null: []string{"NA"}}}
	before := e.api.sealer.Fingerprint(fmt.Appendf(nil, `%q %q %q {"null":["NA"]}`, r.url, r.table, r.priority))
	if hash := r.hash(e.api.sealer); hash != before {
		t.Errorf("the hash has changed from %s to %s", before, hash)
	}
}
