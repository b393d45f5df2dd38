package e2e

import (
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestEnvironmentOpensNothing runs an ingester whose environment names proxies, and the system's resolver, which takes some
// numbers for addresses. Neither makes it connect to what it may not.
func TestEnvironmentOpensNothing(t *testing.T) {
	t.Parallel()
	proxy, file := testenv.StartWeb(t), testenv.StartWeb(t)
	open := strings.ReplaceAll(file.URL+","+proxy.URL, "http://", "") // so that it is not the guard that keeps off the proxy
	settings := []string{"SLUICE_SOURCE_ALLOW=" + open, "GODEBUG=netdns=cgo", "SLUICE_SLOTS=8"}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		settings = append(settings, name+"="+proxy.URL)
	}
	f := startFleet(t)
	f.runWorker(t, "one", append(settings, "NO_PROXY=", "no_proxy=")...)
	f.load(t, file.On("/file.csv", testenv.File("n\n1\n")), "local")
	ids := map[string]string{}
	for _, url := range []string{
		"http://203.0.113.9/file.csv", "https://203.0.113.9/file.csv", "http://169.254.169.254/file.csv",
		"http://2130706433/file.csv", "http://017700000001/file.csv", "http://0177.0.0.1/file.csv", "http://127.1/file.csv", "http://0/file.csv",
		file.On("/redirect.csv", testenv.Redirect(302, "http://203.0.113.9/file.csv")),
	} {
		ids[url] = f.submit(t, map[string]any{"url": url}).ID
	}
	for url, id := range ids {
		j := f.awaitState(t, id, "failed")
		if code := j.Error.Code; code != "source_forbidden" && code != "source_not_found" { // that is, if the resolver is Go's
			t.Errorf("%s failed with %+v", url, j.Error)
		}
	}
	if n := proxy.Connections(); n != 0 {
		t.Errorf("the proxy was connected to %d times", n)
	}
}
