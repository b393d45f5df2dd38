package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/services/api/refusal"
)

// TestDocsNeedNothingFromElsewhere holds that the page is made of what the API serves, and that browsers let it ask nobody else.
func TestDocsNeedNothingFromElsewhere(t *testing.T) {
	e := newEnv(t)
	page := e.get(t, "/docs")
	if page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("answered %d %s", page.status, page.header)
	}
	var asked []string
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page.body), -1) {
		a := e.get(t, "/"+found[1])
		if a.status != http.StatusOK || len(a.body) == 0 {
			t.Errorf("%s: answered %d with %d bytes", found[1], a.status, len(a.body))
		}
		asked = append(asked, found[1])
		if strings.HasSuffix(found[1], ".css") && regexp.MustCompile(`@import|url\(["']?(https?:)?//`).Match(a.body) {
			t.Errorf("%s loads from elsewhere", found[1])
		}
	}
	for _, name := range []string{"docs/swagger-ui-bundle.js", "docs/start.js", "docs/swagger-ui.css", "openapi.yaml"} {
		if !slices.Contains(asked, name) {
			t.Errorf("the page does not ask for %s, but for %v", name, asked)
		}
	}
	if strings.Contains(string(page.body), "//") || strings.Contains(string(page.body), "<script>") {
		t.Errorf("the page names another host, or has a script in it: %s", page.body)
	}
	start := string(e.get(t, "/docs/start.js").body)
	if !strings.Contains(start, `url: "openapi.yaml"`) || !strings.Contains(start, "validatorUrl: null") || strings.Contains(start, "http") {
		t.Errorf("the page is started with %s", start)
	}
}

// TestDocsPolicy holds that no source in the policy is another host, and that what is not listed is not allowed.
func TestDocsPolicy(t *testing.T) {
	e := newEnv(t)
	for _, target := range []string{"/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/favicon-32x32.png"} {
		header := e.get(t, target).header
		policy := map[string][]string{}
		for directive := range strings.SplitSeq(header.Get("Content-Security-Policy"), ";") {
			words := strings.Fields(directive)
			policy[words[0]] = words[1:]
			for _, source := range words[1:] {
				if !slices.Contains([]string{"'none'", "'self'", "'unsafe-inline'", "data:"}, source) {
					t.Errorf("%s: %s allows %s", target, words[0], source)
				}
			}
		}
		for directive, want := range map[string]string{
			"default-src": "'none'", "script-src": "'self'", "connect-src": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
		} {
			if got := strings.Join(policy[directive], " "); got != want {
				t.Errorf("%s: %s is %q, want %q", target, directive, got, want)
			}
		}
		if header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may guess what it is", target)
		}
	}
}

func TestDocsAreAskedForOnce(t *testing.T) {
	e := newEnv(t)
	for _, target := range []string{"/docs", "/docs/swagger-ui-bundle.js"} {
		tag := e.get(t, target).header.Get("ETag")
		if a := e.call(t, http.MethodGet, target, "", "If-None-Match: "+tag); a.status != http.StatusNotModified || len(a.body) != 0 {
			t.Errorf("%s: answered %d with %d bytes", target, a.status, len(a.body))
		}
	}
}

func TestDocsHaveNothingElse(t *testing.T) {
	e := newEnv(t)
	for _, name := range []string{"index.html", "swagger-ui.js", "swagger-initializer.js", "..%2fdocs.go", "%2e%2e%2fgo.mod", "x", "%00"} {
		refused(t, e.get(t, "/docs/"+name), refusal.NotFound)
	}
}
