package testenv

import "testing"

// Files serves the given contents by their paths until the end of the test, and returns the server's URL.
func Files(t testing.TB, contents map[string]string) string {
	t.Helper()
	w := StartWeb(t)
	for path, content := range contents {
		w.On(path, File(content, "Content-Type: text/csv"))
	}
	return w.URL
}
