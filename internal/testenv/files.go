package testenv

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Files serves the given contents by their paths until the end of the test, and returns the server's URL.
func Files(t testing.TB, contents map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := contents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write([]byte(content))
	}))
	t.Cleanup(s.Close)
	return s.URL
}
