package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSubmitFile holds that a file is uploaded only if the API takes the request, and is not lost if it does not take it then.
func TestSubmitFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(file, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const missing, refused = `{"title":"None","code":"upload_not_found"}`, `{"title":"Bad","code":"invalid_request"}`
	for name, c := range map[string]struct {
		first, then string // problems that jobs are refused for
		asked       []string
		code        int
		says        string
	}{
		"all is well":    {missing, "", []string{"/v1/jobs", "/v1/uploads", "/v1/jobs"}, exitDone, ""},
		"refused before": {refused, "", []string{"/v1/jobs"}, exitRefused, "sluice: Bad [invalid_request]\n"},
		"refused after": {missing, refused, []string{"/v1/jobs", "/v1/uploads", "/v1/jobs"}, exitRefused,
			"The file stays uploaded for a day: to submit it again, name it upload:u1.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Path)
				body, _ := io.ReadAll(r.Body)
				status, media, answer := http.StatusAccepted, "application/json", `{"id":"j1","state":"queued"}`
				problem := c.then
				if strings.Contains(string(body), noUpload) {
					problem = c.first
				}
				switch {
				case r.URL.Path == "/v1/uploads":
					answer = `{"upload":"upload:u1","bytes":4}`
				case problem != "":
					status, media, answer = http.StatusUnprocessableEntity, "application/problem+json", problem
				}
				w.Header().Set("Content-Type", media)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, answer)
			}))
			defer server.Close()
			var said strings.Builder
			root := NewRoot()
			root.SetArgs([]string{"submit", file, "--url", server.URL})
			root.SetOut(io.Discard)
			root.SetErr(&said)
			if code := Main(t.Context(), root, &said); code != c.code || !slices.Equal(asked, c.asked) || !strings.Contains(said.String(), c.says) {
				t.Errorf("it ends with %d, has asked for %v, and says %s", code, asked, said.String())
			}
			if strings.Contains(said.String(), "stays uploaded") != (name == "refused after") {
				t.Errorf("it says %s", said.String())
			}
		})
	}
}
