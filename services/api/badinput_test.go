package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/services/api/contract"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// leaf is a field that a body may have.
type leaf struct {
	path   []string
	types  []string // of JSON Schema
	closed bool     // an object that has no other fields than those that are described
}

// leaves lists what a schema describes, however deep. Where names are free, it is called a.
func (d *description) leaves(schema map[string]any, path []string) []leaf {
	if target, ok := schema["$ref"].(string); ok {
		schema, _ = d.Object(strings.Split(strings.TrimPrefix(target, "#/"), "/")...)
	}
	at := leaf{path: path, closed: schema["additionalProperties"] == false}
	var inner []leaf
	if kind, ok := schema["type"].(string); ok {
		at.types = append(at.types, kind)
	}
	branches, _ := schema["oneOf"].([]any)
	for _, branch := range branches {
		one, _ := branch.(map[string]any)
		for i, l := range d.leaves(one, path) {
			if i == 0 {
				at.types, at.closed = append(at.types, l.types...), at.closed || l.closed
				continue
			}
			inner = append(inner, l)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		field, _ := properties[name].(map[string]any)
		inner = append(inner, d.leaves(field, append(slices.Clone(path), name))...)
	}
	if others, ok := schema["additionalProperties"].(map[string]any); ok {
		inner = append(inner, d.leaves(others, append(slices.Clone(path), "a"))...)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		inner = append(inner, d.leaves(items, append(slices.Clone(path), "0"))...)
	}
	return append([]leaf{at}, inner...)
}

// bodyAt is a body that has a value at a path, and nothing else.
func bodyAt(path []string, value string) string {
	for _, name := range slices.Backward(path) {
		if name == "0" {
			value = "[" + value + "]"
			continue
		}
		value = fmt.Sprintf("{%q:%s}", name, value)
	}
	return value
}

// TestWrongTypesOfEveryField holds that a value of a wrong type is refused by name, wherever it stands.
func TestWrongTypesOfEveryField(t *testing.T) {
	e := newEnv(t)
	samples := map[string]string{"string": `"x"`, "integer": `7`, "number": `7.5`, "boolean": `true`, "array": `[]`, "object": `{}`}
	tried := 0
	for path, name := range map[string]string{"/v1/jobs": "JobRequest", "/v1/preview": "PreviewRequest", "/download_file": "DownloadFileRequest"} {
		schema, _ := described().Object("components", "schemas", name)
		for _, l := range described().leaves(schema, nil) {
			for kind, value := range samples {
				if slices.Contains(l.types, kind) {
					continue
				}
				tried++
				body := bodyAt(l.path, value)
				a := e.call(t, http.MethodPost, path, body, isJSON)
				p := refused(t, a, refusal.InvalidRequest)
				if p.Errors == nil || !slices.ContainsFunc(*p.Errors, func(f openapi.FieldError) bool { return f.Pointer == refusal.PointerTo(l.path...) }) {
					t.Errorf("%s %s: told %q, not of %s", path, body, fields(p), refusal.PointerTo(l.path...))
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d bodies were tried", tried)
	}
	e.expectStored(t, 0)
}

// TestUnknownFieldsAtEveryDepth holds that a field that is not known is refused by name, wherever it stands.
func TestUnknownFieldsAtEveryDepth(t *testing.T) {
	e := newEnv(t)
	tried := 0
	for path, name := range map[string]string{"/v1/jobs": "JobRequest", "/v1/preview": "PreviewRequest", "/download_file": "DownloadFileRequest"} {
		schema, _ := described().Object("components", "schemas", name)
		for _, l := range described().leaves(schema, nil) {
			if !l.closed {
				continue
			}
			tried++
			for _, value := range []string{"1", "null", `{"a":[]}`} {
				body := bodyAt(append(slices.Clone(l.path), "unknown/~"), value)
				p := refused(t, e.call(t, http.MethodPost, path, body, isJSON), refusal.InvalidRequest)
				if !strings.Contains(fields(p), refusal.PointerTo(l.path...)+"/unknown~1~0 is not a field of ") {
					t.Errorf("%s %s: told %q", path, body, fields(p))
				}
			}
		}
	}
	if tried < 6 {
		t.Errorf("only %d objects were tried", tried)
	}
	e.expectStored(t, 0)
}

// TestManyErrorsAreBounded holds that an answer does not grow with what is wrong.
func TestManyErrorsAreBounded(t *testing.T) {
	e := newEnv(t)
	var unknown strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&unknown, `,"%d-%s":1`, i, strings.Repeat("x", 20))
	}
	for _, body := range []string{
		`{"url":"` + exampleURL + `"` + unknown.String() + `}`, `{"null":[` + strings.Repeat("1,", 40_000) + `1]}`,
		`{"types":{` + strings.TrimPrefix(unknown.String(), ",") + `}}`, `{"headers":{` + strings.TrimPrefix(unknown.String(), ",") + `}}`,
	} {
		a := e.call(t, http.MethodPost, "/v1/jobs", body, isJSON)
		if p := refused(t, a, refusal.InvalidRequest); len(*p.Errors) > contract.MaxFields || len(a.body) > 1<<17 {
			t.Errorf("%d errors in %d bytes", len(*p.Errors), len(a.body))
		}
	}
}

// TestBadCursors holds that each list refuses a cursor that no page has given.
func TestBadCursors(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	e.warehouse(t).Exec("CREATE TABLE t (id bigint PRIMARY KEY)")
	id := e.create(t, example).ID
	all, err := contract.Read()
	if err != nil {
		t.Fatal(err)
	}
	lists := 0
	for _, o := range all.Operations() {
		if !slices.ContainsFunc(o.Parameters, func(p contract.Parameter) bool { return p.Name == "cursor" }) {
			continue
		}
		lists++
		for _, cursor := range []string{
			"", "x", "\x00", "e30", "bnVsbA", "W10", "eyJ0IjoxLCJpZCI6IjEnIE9SIDE9MSJ9", "-1", "..", "' OR 1=1 --", "😀", "99999999999999999999999", "=", "////",
			strings.Repeat("A", 1024), strings.Repeat("A", 1025), "eyJ0IjoxZTk5OSwiaWQiOiJhIn0",
		} {
			path := strings.NewReplacer("{id}", id, "{table}", "t").Replace(o.Template)
			a := e.get(t, path+"?cursor="+url.QueryEscape(cursor))
			if a.status != http.StatusBadRequest && !(a.status == http.StatusNotFound && strings.Contains(path, "/t/")) {
				t.Errorf("%s, cursor %.30q: answered %d %s", path, cursor, a.status, a.body)
			}
		}
	}
	if lists < 5 {
		t.Errorf("only %d lists were found", lists)
	}
}

// TestLineEndsInNames holds that no name makes a header of its own, in an answer or in what a source is asked with.
func TestLineEndsInNames(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	const evil = "a\r\nX-Evil: 1\r\n\r\n<html>"
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{
		`"table":%s`, `"schema":%s`, `"member":%s`, `"labels":{"a":%s}`, `"labels":{%s:"a"}`, `"headers":{"A":%s}`, `"headers":{%s:"a"}`,
		`"table":"t","mode":"upsert","key":[%s]`, `"csv":{"delimiter":%s}`, `"csv":{"encoding":%s}`, `"null":[%s]`,
	} {
		a := e.call(t, http.MethodPost, "/v1/jobs", bodyWith(fmt.Sprintf(said, quoted)), isJSON)
		refused(t, a, refusal.InvalidRequest)
		noEvil(t, said, a)
	}
	noEvil(t, "url", e.call(t, http.MethodPost, "/v1/jobs", fmt.Sprintf(`{"url":%s}`, quoted), isJSON))
	for _, target := range []string{
		"/v1/uploads?filename=" + url.QueryEscape(evil), "/v1/jobs/" + url.PathEscape(evil), "/v1/datasets/" + url.PathEscape(evil), "/docs/" + url.PathEscape(evil),
		"/v1/jobs?table=" + url.QueryEscape(evil), "/v1/jobs?" + url.QueryEscape(evil) + "=1", "/job_status?jobId=" + url.QueryEscape(evil), "/" + url.PathEscape(evil),
	} {
		method := http.MethodGet
		if strings.HasPrefix(target, "/v1/uploads") {
			method = http.MethodPost
		}
		a := e.call(t, method, target, "a,b\n")
		noEvil(t, target, a)
		if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: answered %d %s", target, a.status, a.body)
		}
	}
	e.expectStored(t, 0)
}

func noEvil(t *testing.T, what string, a answer) {
	t.Helper()
	for name, values := range a.header {
		if strings.Contains(name+strings.Join(values, ""), "Evil") {
			t.Errorf("%s: the answer has the header %s: %v", what, name, values)
		}
	}
}

// TestSQLInNames holds that names of tables and columns are names, whatever they look like.
func TestSQLInNames(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	w := e.warehouse(t)
	for i, name := range []string{`x"; DROP TABLE kept; --`, `x'; DROP TABLE kept; --`, `$1`, `a"b`, `a.b`, `SELECT`, `%s`, `a\b`, `../a`, `Ω 😀`} {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		job := e.create(t, bodyWith(fmt.Sprintf(`"table":%[1]s,"schema":%[1]s,"mode":"upsert","key":[%[1]s],"types":{%[1]s:"text"}`, text)))
		if job.Table == nil || *job.Table != name || job.Schema != name {
			t.Errorf("%s became %v in %s", name, job.Table, job.Schema)
		}
		a := e.get(t, "/v1/datasets/"+url.PathEscape(name)+"?schema="+url.QueryEscape(name))
		if a.status != http.StatusNotFound {
			t.Errorf("%d: the dataset %s: %d %s", i, name, a.status, a.body)
		}
		for _, parameter := range []string{"columns", "filter", "cursor"} {
			a := e.get(t, "/v1/datasets/t/rows?"+parameter+"="+url.QueryEscape(name))
			if a.status < http.StatusBadRequest || a.status >= http.StatusInternalServerError {
				t.Errorf("%s=%s: %d %s", parameter, name, a.status, a.body)
			}
		}
	}
	w.Exec("CREATE TABLE kept (id int)") // which fails if it were there
}

// TestBrokenRequests sends what no library would, and holds that each is refused and the connection or the next request works.
func TestBrokenRequests(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	e.warehouse(t)
	r := e.run(t, time.Minute)
	post := "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
	for name, raw := range map[string]string{
		"a bad escape in the path":  "GET /v1/jobs/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"half an escape":            "GET /v1/jobs/% HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a bad escape in the query": "GET /v1/jobs?table=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"NUL in the path":           "GET /v1/jobs/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"no UTF-8 in the path":      "GET /v1/datasets/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a very long path":          "GET /v1/jobs/" + strings.Repeat("a", 60_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a path that is too long":   "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"many segments":             "GET " + strings.Repeat("/a", 10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"many parameters":           "GET /v1/jobs?" + strings.Repeat("a&", 20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"no host":                   "GET /v1/jobs HTTP/1.1\r\n\r\n",
		"a header that is none":     "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n",
		"a line end in a header":    "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: a\rb\r\n\r\n",
		"a method that is none":     "G@T /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"CONNECT":                   "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"an asterisk":               "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"another host":              "GET http://evil.test/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"two lengths":               post + isJSON + "\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
		"a length below zero":       post + isJSON + "\r\nContent-Length: -1\r\n\r\n",
		"a bad chunk":               post + isJSON + "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"a chunk that is too large": post + isJSON + "\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
		"an unknown coding":         post + isJSON + "\r\nTransfer-Encoding: gzip\r\n\r\n{}",
		"UTF-16":                    post + "Content-Type: application/json; charset=utf-16\r\nContent-Length: 4\r\n\r\n{\x00}\x00",
		"a form that is no form":    "POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n\r\nab",
		"chunks of too large JSON":  post + isJSON + "\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat(" ", 0x200000) + "\r\n0\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", r.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		data, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if response.StatusCode/100 != 4 && response.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: answered %s %s", name, response.Status, data)
		}
		if media := response.Header.Get("Content-Type"); strings.HasPrefix(media, "application/problem+json") && decodedCode(answer{body: data}) == "" {
			t.Errorf("%s: the problem has no code: %s", name, data)
		}
		_ = conn.Close()
	}
	e.expectStored(t, 0)
}
