package api

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

// TestErrorsAreExplained holds that docs/errors.md has a row for each code, with its status, and no other.
func TestErrorsAreExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Refused requests")
	section, _, _ = strings.Cut(section, "\n## ")
	explained := map[refusal.Code]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]+) \\|").FindAllStringSubmatch(section, -1) {
		explained[refusal.Code(row[1])], _ = strconv.Atoi(row[2])
	}
	for _, c := range refusal.Codes() {
		if explained[c] != c.Status() {
			t.Errorf("%s is answered with %d, explained with %d", c, c.Status(), explained[c])
		}
		delete(explained, c)
	}
	for c := range explained {
		t.Errorf("%s is explained and does not exist", c)
	}
}

func TestUnknownRoutes(t *testing.T) {
	e := newEnv(t)
	for _, target := range []string{"/", "/v1", "/v1/job", "/v2/jobs", "/v1/jobs/", "/v1/jobs/a/b/c", "/openapi.json", "/V1/jobs"} {
		p := refused(t, e.get(t, target), refusal.NotFound)
		if p.Detail == nil || !strings.Contains(*p.Detail, "/docs") || !strings.Contains(*p.Detail, "/openapi.yaml") {
			t.Errorf("of %s it does not say where the paths are told", target)
		}
	}
	for _, tt := range []struct{ method, target, allowed string }{
		{http.MethodPut, "/v1/jobs", "GET POST"},
		{http.MethodPatch, "/v1/jobs/x", "GET"},
		{http.MethodPost, "/job_status", "GET"},
		{http.MethodGet, "/download_file", "POST"},
	} {
		a := e.call(t, tt.method, tt.target, "")
		refused(t, a, refusal.MethodNotAllowed)
		for method := range strings.FieldsSeq(tt.allowed) {
			if !strings.Contains(a.header.Get("Allow"), method) {
				t.Errorf("%s %s: allowed is %q, without %s", tt.method, tt.target, a.header.Get("Allow"), method)
			}
		}
	}
}

// TestErrorsTellNothingInternal holds that an error that nobody foresaw, and a panic, go to the log and not to the caller.
func TestErrorsTellNothingInternal(t *testing.T) {
	var log lockedBuffer
	config := DefaultConfig()
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := New(config, nil, noKey)
	h, ok := s.Handler().(*echo.Echo)
	if !ok {
		t.Fatal("the handler is not Echo's")
	}
	h.GET("/error", func(echo.Context) error { return errors.New("inside") })
	h.GET("/panic", func(echo.Context) error { panic("inside") })
	h.GET("/teapot", func(echo.Context) error { return echo.NewHTTPError(http.StatusTeapot, "inside") })
	for _, path := range []string{"/error", "/panic", "/teapot"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
		a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
		refused(t, a, refusal.Internal)
		if err := described().allows(http.MethodGet, path, a); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if strings.Contains(w.Body.String(), "inside") {
			t.Errorf("%s: answered %s", path, w.Body)
		}
	}
	if !bytes.Contains(log.Bytes(), []byte("inside")) {
		t.Errorf("the log does not tell what happened: %s", log.Bytes())
	}
}
