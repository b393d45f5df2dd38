package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"sluice/internal/testenv"
)

// TestCallsToCopy sends every call of docs/calls to a running Sluice, in the order of each file, and holds that they are all
// that there are.
func TestCallsToCopy(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(root, "docs", "calls", "*.http"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no calls (%v)", err)
	}
	missing := operations(t, i)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file, err := readCalls(path)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string]string{"api": i.api, "files": i.files} {
				if _, ok := file.variables[name]; ok {
					file.variables[name] = value
				}
			}
			answers := sent{}
			for _, c := range file.calls {
				operation, err := file.send(testenv.Context(t), c, answers)
				if err != nil {
					t.Fatalf("line %d, %s %s: %v", c.line, c.method, c.target, err)
				}
				maps.DeleteFunc(missing, func(_ string, r *regexp.Regexp) bool { return r.MatchString(operation) })
			}
		})
	}
	if len(missing) > 0 {
		t.Errorf("there are no calls to copy for %s", slices.Sorted(maps.Keys(missing)))
	}
}

// send sends a call, and keeps the answer if it has a name. It returns the method and the path.
func (f callFile) send(ctx context.Context, c call, answers sent) (operation string, err error) {
	if len(c.answers) == 0 {
		return "", fmt.Errorf("it is not said what it answers")
	}
	r, err := f.request(c, answers)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	a, err := c.read(response)
	if c.name != "" {
		answers[c.name] = a
	}
	return r.Method + " " + r.URL.Path, err
}

// operations are those of the API's description, each with what its method and path look like.
func operations(t *testing.T, i *instance) map[string]*regexp.Regexp {
	t.Helper()
	var document struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(i.get(t, "/openapi.yaml").body, &document); err != nil {
		t.Fatal(err)
	}
	all := map[string]*regexp.Regexp{}
	parameter := regexp.MustCompile(`\\\{\w+\\\}`)
	for path, methods := range document.Paths {
		for method := range methods {
			operation := strings.ToUpper(method) + " " + path
			all[operation] = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(operation), "[^/]+") + "$")
		}
	}
	return all
}
