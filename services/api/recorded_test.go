package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
)

// recorded posts to the handler without a network between.
func recorded(t testing.TB, h http.Handler, path string, body []byte, header map[string]string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, bytes.NewReader(body))
	for name, value := range header {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}
