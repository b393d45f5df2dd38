package api

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/services/api/contract"
)

// fuzzTime bounds a request: streams have no end of their own.
const fuzzTime = 500 * time.Millisecond

// fuzzedWriter is a recorder as a connection would be, whose client leaves once a stream has begun.
type fuzzedWriter struct {
	*httptest.ResponseRecorder
	leave func()
}

func (w fuzzedWriter) Flush()                         { w.leave() }
func (fuzzedWriter) SetReadDeadline(time.Time) error  { return nil }
func (fuzzedWriter) SetWriteDeadline(time.Time) error { return nil }

// faults keeps of a log what must never be in it.
type faults struct{ lockedBuffer }

func (f *faults) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panic")) || bytes.Contains(line, []byte("code=internal")) {
		return f.lockedBuffer.Write(line)
	}
	return len(line), nil
}

// fuzzed is a request of which anything may be made up.
type fuzzed struct {
	route                           uint16
	parameter, query, header, media string
	body                            []byte
}

// of makes a request of it, for one of the operations or with another method; nil if no server would get it.
func (f fuzzed) of(ctx context.Context, all []*contract.Operation) *http.Request {
	o := all[int(f.route)%len(all)]
	method := []string{o.Method, http.MethodHead, http.MethodOptions, http.MethodPut, o.Method}[int(f.route)/len(all)%5]
	u, err := url.ParseRequestURI(placeholder.ReplaceAllLiteralString(o.Template, url.PathEscape(f.parameter)) + "?" + f.query)
	if err != nil || strings.ContainsAny(f.header+f.media, "\r\n\x00") {
		return nil
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", io.NopCloser(bytes.NewReader(f.body)))
	r.Method, r.URL, r.RequestURI, r.ContentLength = method, u, u.RequestURI(), int64(len(f.body))
	r.Header.Set("Content-Type", f.media)
	for i, name := range []string{"Accept", "Idempotency-Key", "Last-Event-ID", "If-None-Match", "Traceparent", "Authorization"} {
		if value := strings.Split(f.header, "|"); i < len(value) && value[i] != "" {
			r.Header.Set(name, value[i])
		}
	}
	return r
}

// FuzzHandler holds that no request whatsoever makes the API panic or fail in a way that is not foreseen, and that each is answered
// as the document says.
func FuzzHandler(f *testing.F) {
	described, err := contract.Read()
	if err != nil {
		f.Fatal(err)
	}
	all := described.Operations()
	for i := range 5 * len(all) {
		f.Add(uint16(i), "01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e", "limit=2", "", "application/json", []byte(example))
	}
	for _, query := range []string{"", "jobId=x", "wait=1s", "cursor=e30", "a=%zz", "limit=1&limit=2", "columns=id&filter=id:eq:1&format=csv", "filename=a%0d%0ab"} {
		for i := range all {
			f.Add(uint16(i), "t", query, "text/event-stream|key|1|*|00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01|Bearer x",
				"application/x-www-form-urlencoded", []byte("fileUrl=http://localhost/a"))
		}
	}
	for _, body := range []string{`{`, `[[[[`, `{"a":1,"a":1}`, "\ufeff{}", bodyWith(`"types":{"a":{"type":"int"}},"labels":{"a":"b"},"null":[null]`), `{"rows":1e400}`,
		bodyWith(`"csv":{"encoding":"latin1","delimiter":";"},"key":["a"],"mode":"upsert","table":"t","headers":{"a":"b"},"max_bad_rows":"1%"`)} {
		for i := range all {
			f.Add(uint16(i), "a/b", "", "", "application/json; charset=utf-8", []byte(body))
		}
	}
	e := newEnv(f)
	e.playStatus(f)
	e.warehouse(f)
	var log faults
	e.api.config.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	running, stop := context.WithCancel(f.Context())
	f.Cleanup(stop)
	go e.api.feed.run(running)
	handler := e.api.Handler()
	f.Fuzz(func(t *testing.T, route uint16, parameter, query, header, media string, body []byte) {
		ctx, leave := context.WithTimeout(t.Context(), fuzzTime)
		defer leave()
		r := fuzzed{route, parameter, query, header, media, body[:min(len(body), 64<<10)]}.of(ctx, all)
		if r == nil {
			return
		}
		w := fuzzedWriter{httptest.NewRecorder(), leave}
		handler.ServeHTTP(w, r)
		if told := log.Bytes(); len(told) > 0 {
			t.Fatalf("%s %s: the log says %s", r.Method, r.URL, told)
		}
		if ctx.Err() != nil { // who has left sees no answer, or part of one
			return
		}
		a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
		if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
			t.Errorf("%s %s: answered %d %s", r.Method, r.URL, a.status, a.body)
		}
		if r.Method == http.MethodHead && len(a.body) > 0 {
			t.Errorf("%s: HEAD is answered with %s", r.URL, a.body)
		}
		if err := documented(r, a); err != nil {
			t.Errorf("%s %s: %v: %s", r.Method, r.URL, err, a.body)
		}
	})
}

func documented(r *http.Request, a answer) error { return described().allows(r.Method, r.URL.Path, a) }
