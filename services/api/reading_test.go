package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

// bodyWith is a request that says something about how its file is to be read.
func bodyWith(said string) string { return `{"url":"` + exampleURL + `",` + said + `}` }

// TestReadingIsCarried holds that the job's message says of the file exactly what the request said, and nothing else.
func TestReadingIsCarried(t *testing.T) {
	e := newEnv(t)
	for _, said := range []string{
		`"csv":{"encoding":"gbk","delimiter":";","quote":"'","escape":"\\","header":true,"header_rows":2,"skip_rows":3,"comment":"#"},
			"null":["","NA","\\N"],"column_names":"snake","extra_fields":"reject","max_bad_rows":"2.5%"`,
		`"csv":{"delimiter":""}`, `"csv":{"delimiter":"ä€, |"}`, `"csv":{"delimiter":"\t"}`, `"csv":{"delimiter":"\u0001"}`,
		`"csv":{"delimiter":"a"}`, `"csv":{"delimiter":"\"","quote":""}`, `"csv":{"delimiter":"\\|","escape":"\\"}`,
		`"csv":{"quote":""}`, `"csv":{"quote":" "}`, `"csv":{"quote":"","escape":""}`,
		`"csv":{"escape":""}`, `"csv":{"escape":"^"}`, `"csv":{"quote":"'","escape":"'"}`, `"csv":{"delimiter":"","escape":"^"}`,
		`"csv":{"header":false}`, `"csv":{"header":true}`, `"csv":{"header_rows":1}`, `"csv":{"header_rows":10}`,
		`"csv":{"skip_rows":0}`, `"csv":{"skip_rows":1000}`, `"csv":{"skip_rows":1,"header":false}`,
		`"csv":{"comment":"--------"}`, `"csv":{"comment":"#","delimiter":"","quote":""}`,
		`"null":[]`, `"null":[""]`, `"null":[` + strings.Repeat(`"a",`, 19) + `"` + strings.Repeat("x", 64) + `"]`,
		`"column_names":"snake"`, `"extra_fields":"reject"`, `"types":"infer"`, `"lineage":true`,
		`"types":{"id":{"type":"integer"},"*":"infer","Fare €":{"type":"numeric(9,2)","decimal":",","group":".","null":["n/a",""]},
			"at":{"type":"timestamptz","format":"dd.mm.yyyy hh:mi","zone":"Europe/Berlin"},"ok":{"type":"boolean","true":["ja"],"false":["nein"]}}`,
		`"max_bad_rows":1`, `"max_bad_rows":9223372036854775807`, `"max_bad_rows":"100%"`, `"max_bad_rows":"0.001%"`,
	} {
		spec := e.specOf(t, e.create(t, bodyWith(said)).ID)
		if got := saidOfFile(t, spec); !sameJSON(t, got, "{"+said+"}") {
			t.Errorf("carried is %s, want {%s}", got, said)
		}
	}
}

// TestReadingInOtherWords holds that defaults are not carried, and that names are carried in their canonical form.
func TestReadingInOtherWords(t *testing.T) {
	e := newEnv(t)
	for said, want := range map[string]string{
		`"types":"text"`: `{}`,
		`"types":{}`:     `{}`, `"types":{"*":"text"}`: `{}`, `"types":{"*":"infer"}`: `{"types":"infer"}`,
		`"types":{"a":"Numeric(9, 2)","b":"text","*":"text"}`:  `{"types":{"a":{"type":"Numeric(9, 2)"},"b":{"type":"text"}}}`,
		`"types":{"a":{"type":"int","format":"","null":null}}`: `{"types":{"a":{"type":"int"}}}`,
		`"types":null`: `{}`, `"lineage":false`: `{}`, `"lineage":null`: `{}`,
		`"csv":{},"column_names":"original","extra_fields":"rescue","max_bad_rows":0`:        `{}`,
		`"csv":null,"null":null,"column_names":null,"extra_fields":null,"max_bad_rows":null`: `{}`,
		`"csv":{"encoding":null,"delimiter":null,"quote":null,"escape":null}`:                `{}`,
		`"csv":{"header":null,"header_rows":null,"skip_rows":null,"comment":null}`:           `{}`,
		`"ordered":true,"csv":{"encoding":"Latin1"}`:                                         `{"ordered":true,"csv":{"encoding":"windows-1252"}}`,
		`"max_bad_rows":"02.50%"`: `{"max_bad_rows":"2.5%"}`,
	} {
		spec := e.specOf(t, e.create(t, bodyWith(said)).ID)
		if got := saidOfFile(t, spec); !sameJSON(t, got, want) {
			t.Errorf("%s: carried is %s, want %s", said, got, want)
		}
	}
}

// specOf returns the spec in a job's message as it lies on the queue.
func (e *env) specOf(t *testing.T, id string) json.RawMessage {
	t.Helper()
	for _, msg := range e.stored(t, bus.JobsStream) {
		job := decoded[struct {
			ID   string          `json:"id"`
			Spec json.RawMessage `json:"spec"`
		}](t, answer{body: msg.Data})
		if job.ID == id {
			return job.Spec
		}
	}
	t.Fatalf("job %s is not on the queue", id)
	return nil
}

// saidOfFile leaves of a spec what no job need state.
func saidOfFile(t *testing.T, spec json.RawMessage) string {
	t.Helper()
	fields := decoded[map[string]json.RawMessage](t, answer{body: spec})
	for _, always := range []string{"source", "schema", "mode", "priority", "created_at"} {
		if _, ok := fields[always]; !ok {
			t.Errorf("%s is missing in %s", always, spec)
		}
		delete(fields, always)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFirstDesignStatesNothing holds that a file of the first design's is read as nothing but its contents suggest.
func TestFirstDesignStatesNothing(t *testing.T) {
	e := newEnv(t)
	a := e.call(t, http.MethodPost, "/download_file", "fileUrl="+exampleURL, isForm)
	id := decoded[map[string]string](t, a)["jobId"]
	if said := saidOfFile(t, e.specOf(t, id)); said != "{}" {
		t.Errorf("it says %s", said)
	}
	plain := e.create(t, example)
	if said := saidOfFile(t, e.specOf(t, plain.ID)); said != "{}" {
		t.Errorf("a request that says nothing says %s", said)
	}
}

func TestReadingIsRefused(t *testing.T) {
	e := newEnv(t)
	for name, tt := range map[string]struct {
		said     string
		pointers string // of the fields at fault, separated by spaces
	}{
		"csv of the wrong type":          {`"csv":";"`, "/csv"},
		"unknown field in csv":           {`"csv":{"delimeter":";"}`, "/csv/delimeter"},
		"unknown field in csv, in caps":  {`"CSV":{"delimeter":";"}`, "/CSV"},
		"field of the request in csv":    {`"csv":{"null":[]}`, "/csv/null"},
		"field of csv in the request":    {`"delimiter":";"`, "/delimiter"},
		"unknown field that csv has":     {`"csv":{"quote":"'"},"quote":"'"`, "/quote"},
		"unknown field, csv twice":       {`"csv":{"x":1},"csv":{}`, "/csv"},
		"several fields of csv":          {`"csv":{"encoding":"x","delimiter":"\n","quote":"''","escape":"ab","header_rows":0,"skip_rows":-1,"comment":""}`, "/csv/encoding /csv/delimiter /csv/quote /csv/escape /csv/header_rows /csv/skip_rows /csv/comment"},
		"fields in and beside csv":       {`"table":"","csv":{"skip_rows":-1},"null":["\n"],"column_names":"x","extra_fields":"x","max_bad_rows":-1`, "/table /csv/skip_rows /null/0 /column_names /extra_fields /max_bad_rows"},
		"delimiter of the wrong type":    {`"csv":{"delimiter":59}`, "/csv/delimiter"},
		"delimiter too long":             {`"csv":{"delimiter":"123456789"}`, "/csv/delimiter"},
		"delimiter too long in bytes":    {`"csv":{"delimiter":"äääää"}`, "/csv/delimiter"},
		"delimiter CR":                   {`"csv":{"delimiter":"\r"}`, "/csv/delimiter"},
		"delimiter with LF":              {`"csv":{"delimiter":",\n"}`, "/csv/delimiter"},
		"delimiter with NUL":             {`"csv":{"delimiter":"\u0000"}`, "/csv/delimiter"},
		"delimiter of half a character":  {`"csv":{"delimiter":"\ud83d"}`, "/csv/delimiter"},
		"delimiter is the quote":         {`"csv":{"delimiter":"'","quote":"'"}`, "/csv/delimiter"},
		"delimiter with the quote":       {`"csv":{"delimiter":"\",\"","quote":"\""}`, "/csv/delimiter"},
		"delimiter is the escape":        {`"csv":{"delimiter":"\\","escape":"\\"}`, "/csv/escape"},
		"quote too long":                 {`"csv":{"quote":"''"}`, "/csv/quote"},
		"quote not ASCII":                {`"csv":{"quote":"«"}`, "/csv/quote"},
		"quote CR":                       {`"csv":{"quote":"\r"}`, "/csv/quote"},
		"quote LF":                       {`"csv":{"quote":"\n"}`, "/csv/quote"},
		"quote NUL":                      {`"csv":{"quote":"\u0000"}`, "/csv/quote"},
		"quote a letter":                 {`"csv":{"quote":"Q"}`, "/csv/quote"},
		"quote a digit":                  {`"csv":{"quote":"0"}`, "/csv/quote"},
		"quote of the wrong type":        {`"csv":{"quote":false}`, "/csv/quote"},
		"escape too long":                {`"csv":{"escape":"\\\\"}`, "/csv/escape"},
		"escape not ASCII":               {`"csv":{"escape":"ä"}`, "/csv/escape"},
		"escape LF":                      {`"csv":{"escape":"\n"}`, "/csv/escape"},
		"escape NUL":                     {`"csv":{"escape":"\u0000"}`, "/csv/escape"},
		"escape without a quote":         {`"csv":{"quote":"","escape":"\\"}`, "/csv/escape"},
		"header of the wrong type":       {`"csv":{"header":"yes"}`, "/csv/header"},
		"no header rows":                 {`"csv":{"header_rows":0}`, "/csv/header_rows"},
		"fewer than no header rows":      {`"csv":{"header_rows":-1}`, "/csv/header_rows"},
		"too many header rows":           {`"csv":{"header_rows":11}`, "/csv/header_rows"},
		"half a header row":              {`"csv":{"header_rows":1.5}`, "/csv/header_rows"},
		"header rows without a header":   {`"csv":{"header":false,"header_rows":1}`, "/csv/header_rows"},
		"fewer than no rows to skip":     {`"csv":{"skip_rows":-1}`, "/csv/skip_rows"},
		"too many rows to skip":          {`"csv":{"skip_rows":1001}`, "/csv/skip_rows"},
		"far too many rows to skip":      {`"csv":{"skip_rows":99999999999999999999}`, "/csv/skip_rows"},
		"empty comment":                  {`"csv":{"comment":""}`, "/csv/comment"},
		"comment too long":               {`"csv":{"comment":"123456789"}`, "/csv/comment"},
		"comment with CR":                {`"csv":{"comment":"#\r"}`, "/csv/comment"},
		"comment with LF":                {`"csv":{"comment":"#\n"}`, "/csv/comment"},
		"comment with NUL":               {`"csv":{"comment":"#\u0000"}`, "/csv/comment"},
		"comment starts with quote":      {`"csv":{"comment":"'#","quote":"'"}`, "/csv/comment"},
		"comment is the delimiter":       {`"csv":{"comment":"#","delimiter":"#"}`, "/csv/comment"},
		"comment starts with delimiter":  {`"csv":{"comment":";;#","delimiter":";;"}`, "/csv/comment"},
		"delimiter starts with comment":  {`"csv":{"comment":";","delimiter":";;"}`, "/csv/comment"},
		"empty encoding":                 {`"csv":{"encoding":""}`, "/csv/encoding"},
		"null of the wrong type":         {`"null":"NA"`, "/null"},
		"null of numbers":                {`"null":[0]`, "/null/0"},
		"null in null":                   {`"null":["",null]`, "/null/1"},
		"too many texts that are NULL":   {`"null":[` + strings.Repeat(`"a",`, 20) + `"a"]`, "/null"},
		"text that is NULL too long":     {`"null":["","` + strings.Repeat("x", 65) + `"]`, "/null/1"},
		"too long in bytes":              {`"null":["` + strings.Repeat("ä", 33) + `"]`, "/null/0"},
		"texts that are NULL, two bad":   {`"null":["a\r","b","c\u0000"]`, "/null/0 /null/2"},
		"column names of the wrong type": {`"column_names":true`, "/column_names"},
		"empty column names":             {`"column_names":""`, "/column_names"},
		"column names in capitals":       {`"column_names":"Snake"`, "/column_names"},
		"lineage of the wrong type":      {`"lineage":"yes"`, "/lineage"},
		"unknown types":                  {`"types":"guess"`, "/types"},
		"empty types":                    {`"types":""`, "/types"},
		"types of the wrong type":        {`"types":true`, "/types"},
		"types in a list":                {`"types":["int"]`, "/types"},
		"other types unknown":            {`"types":{"*":"guess"}`, "/types/*"},
		"another type for others":        {`"types":{"*":{"type":"int"}}`, "/types/*"},
		"a column inferred":              {`"types":{"a":"infer"}`, "/types/a"},
		"a type of the wrong type":       {`"types":{"a":5}`, "/types/a"},
		"a type that is null":            {`"types":{"a":null}`, "/types/a/type"},
		"a type in a list":               {`"types":{"a":["int"]}`, "/types/a"},
		"no type":                        {`"types":{"a":{}}`, "/types/a/type"},
		"a type that is none":            {`"types":{"a":"int; DROP TABLE x"}`, "/types/a/type"},
		"types of two columns":           {`"types":{"a/b":"int)","c":{"type":"text","format":"yyyy"}}`, "/types/a~1b/type /types/c/format"},
		"a format that is none":          {`"types":{"a":{"type":"date","format":"dd.mm"}}`, "/types/a/format"},
		"a format of the wrong type":     {`"types":{"a":{"type":"date","format":1}}`, "/types/a/format"},
		"an option of a column unknown":  {`"types":{"a":{"type":"date","form":"dd.mm"}}`, "/types/a/form"},
		"a zone that is none":            {`"types":{"a":{"type":"timestamptz","zone":"Mars"}}`, "/types/a/zone"},
		"words for true alone":           {`"types":{"a":{"type":"boolean","true":["ja"]}}`, "/types/a/true"},
		"type of a column without name":  {`"types":{"":"int"}`, "/types/"},
		"type of a column with NUL":      {`"types":{"a\u0000":"int"}`, "/types/a\x00"},
		"type of a name too long":        {`"types":{"` + strings.Repeat("x", 64) + `":"int"}`, "/types/" + strings.Repeat("x", 64)},
		"types of too many columns":      {`"types":{` + manyTypes(1601, "int") + `}`, "/types"},
		"types too large":                {`"types":{` + manyTypes(1600, strings.Repeat("x", 199)) + `}`, "/types"},
		"unknown extra fields":           {`"extra_fields":"drop"`, "/extra_fields"},
		"empty extra fields":             {`"extra_fields":""`, "/extra_fields"},
		"negative bad rows":              {`"max_bad_rows":-1`, "/max_bad_rows"},
		"half a bad row":                 {`"max_bad_rows":0.5`, "/max_bad_rows"},
		"far too many bad rows":          {`"max_bad_rows":9223372036854775808`, "/max_bad_rows"},
		"bad rows in a text":             {`"max_bad_rows":"10"`, "/max_bad_rows"},
		"no bad rows in a hundred":       {`"max_bad_rows":"0%"`, "/max_bad_rows"},
		"more than all rows bad":         {`"max_bad_rows":"100.1%"`, "/max_bad_rows"},
		"negative percentage":            {`"max_bad_rows":"-1%"`, "/max_bad_rows"},
		"percentage with a blank":        {`"max_bad_rows":"2.5 %"`, "/max_bad_rows"},
		"empty bad rows":                 {`"max_bad_rows":""`, "/max_bad_rows"},
		"bad rows an object":             {`"max_bad_rows":{"count":1}`, "/max_bad_rows"},
		"bad rows true":                  {`"max_bad_rows":true`, "/max_bad_rows"},
	} {
		t.Run(name, func(t *testing.T) {
			p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(tt.said), isJSON), refusal.InvalidRequest)
			if p.Errors == nil || p.Detail == nil {
				t.Fatalf("answered %+v", p)
			}
			var pointers []string
			for _, f := range *p.Errors {
				pointers = append(pointers, f.Pointer)
				if f.Detail == "" {
					t.Errorf("%s is not explained", f.Pointer)
				}
			}
			if got := strings.Join(pointers, " "); got != tt.pointers {
				t.Errorf("fields at fault are %q, want %q", got, tt.pointers)
			}
		})
	}
	e.expectStored(t, 0)
}

func TestNestedFieldIsNamed(t *testing.T) {
	e := newEnv(t)
	p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(`"csv":{"header_rows":11}`), isJSON), refusal.InvalidRequest)
	if want := "csv.header_rows must be 1 to 10"; p.Detail == nil || *p.Detail != want {
		t.Errorf("answered %+v, want the detail %q", p, want)
	}
	p = refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(`"csv":{"sep":";"}`), isJSON), refusal.InvalidRequest)
	want := "is not a field of csv; it has encoding, delimiter, quote, escape, header, header_rows, skip_rows, comment, allow_html"
	if p.Errors == nil || (*p.Errors)[0].Detail != want {
		t.Errorf("answered %+v, want the detail %q", p, want)
	}
}

func TestReadingBelongsToTheKey(t *testing.T) {
	e := newEnv(t)
	said := []string{
		`"csv":{"delimiter":";"}`, `"csv":{"delimiter":""}`, `"csv":{"quote":""}`, `"csv":{"escape":""}`, `"csv":{"encoding":"utf-8"}`,
		`"csv":{"header":true}`, `"csv":{"header":false}`, `"csv":{"header_rows":1}`, `"csv":{"skip_rows":0}`, `"csv":{"comment":"#"}`,
		`"null":[]`, `"null":[""]`, `"null":["", ""]`, `"column_names":"snake"`, `"extra_fields":"reject"`, `"max_bad_rows":1`, `"max_bad_rows":"1%"`, `"types":"infer"`,
		`"ordered":true`, `"table":"t"`, `"lineage":true`,
	}
	for i, first := range said {
		key := fmt.Sprintf("%sk%d", isKey, i)
		job := e.create(t, bodyWith(first), key)
		if again := e.create(t, bodyWith(first), key); again.ID != job.ID {
			t.Errorf("%s: repeated it is job %s", first, again.ID)
		}
		for _, other := range append(said[:i:i], said[i+1:]...) {
			refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(other), isJSON, key), refusal.IdempotencyConflict)
		}
		refused(t, e.call(t, http.MethodPost, "/v1/jobs", example, isJSON, key), refusal.IdempotencyConflict)
	}
	e.expectStored(t, len(said))

	plain := e.create(t, example, isKey+"plain")
	same := bodyWith(`"csv":{},"null":null,"column_names":"original","extra_fields":"rescue","max_bad_rows":0,"lineage":false`)
	if again := e.create(t, same, isKey+"plain"); again.ID != plain.ID {
		t.Error("what goes without saying makes another request")
	}
}

// TestKeysOfBefore holds that a request repeated from before there was anything to say of a file is still the same one.
func TestKeysOfBefore(t *testing.T) {
	e := newEnv(t)
	r := request{source: source{url: mustParse(t, exampleURL)}, table: "t", priority: events.Urgent, ordered: true}
	before := e.api.sealer.Fingerprint(fmt.Appendf(nil, "%q %q %q ordered", r.url, r.table, r.priority))
	if hash := r.hash(e.api.sealer); hash != before {
		t.Errorf("the hash has changed from %s to %s", before, hash)
	}
}

// manyTypes is a member of types for each of so many columns.
func manyTypes(columns int, name string) string {
	members := make([]string, columns)
	for i := range members {
		members[i] = fmt.Sprintf("%q:%q", strconv.Itoa(i), name)
	}
	return strings.Join(members, ",")
}

func TestEncodingLabels(t *testing.T) {
	for label, want := range map[string]string{
		"utf-8": "utf-8", "UTF8": "utf-8", "unicode-1-1-utf-8": "utf-8",
		"utf-16": "utf-16", "UTF-16": "utf-16", " utf-16 ": "utf-16",
		"utf-16le": "utf-16le", "unicode": "utf-16le", "UTF-16BE": "utf-16be",
		"latin1": "windows-1252", "iso-8859-1": "windows-1252", "ascii": "windows-1252", " Windows-1252\t": "windows-1252", "cp1250": "windows-1250",
		"latin2": "iso-8859-2", "iso-8859-8-i": "iso-8859-8-i", "ibm866": "ibm866", "koi8-r": "koi8-r", "mac": "macintosh",
		"gb2312": "gbk", "gb18030": "gb18030", "big5": "big5", "euc-jp": "euc-jp", "sjis": "shift_jis", "euc-kr": "euc-kr",
	} {
		if got, problem := canonicalEncoding(label); got != want || problem != "" {
			t.Errorf("%q stands for %q (%s), want %q", label, got, problem, want)
		}
	}
	for _, label := range []string{
		"", " ", "auto", "utf-7", "utf-32", "binary", "latin-one", "utf-8\x00", "ütf-8", strings.Repeat("x", 1<<20),
		"iso-2022-jp", "csISO2022JP", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312", "replacement", "x-user-defined",
	} {
		if got, problem := canonicalEncoding(label); got != "" || problem == "" {
			t.Errorf("%.20q stands for %q (%q)", label, got, problem)
		}
	}
}

func TestSpecRepeatsTheReading(t *testing.T) {
	e := newEnv(t)
	wanted := request{source: source{url: mustParse(t, exampleURL)}, priority: events.Normal, reading: reading{
		CSV:  events.CSV{Encoding: "gbk", Delimiter: new(""), Header: new(false), SkipRows: new(2)},
		Null: []string{}, ColumnNames: events.SnakeNames, ExtraFields: events.RejectExtra, MaxBadRows: events.BadRows{Count: 3},
		Types: events.ColumnTypes{Infer: true}, Lineage: true,
	}}
	spec, err := e.api.spec("id", wanted)
	if err != nil {
		t.Fatal(err)
	}
	got := reading{spec.CSV, spec.Null, spec.ColumnNames, spec.ExtraFields, spec.MaxBadRows, spec.Types, spec.Lineage}
	if !reflect.DeepEqual(got, wanted.reading) {
		t.Errorf("the spec says %+v, want %+v", got, wanted.reading)
	}
}
