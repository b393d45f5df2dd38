package api

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
	"gopkg.in/yaml.v3"

	"sluice/pkg/apikey"
	"sluice/services/api/openapi"
)

// rights says which scopes a key must have for each route that there is, by its method and path as Echo has them. A route that
// is for everybody has none.
type rights map[string][]apikey.Scope

// rightsOf gives each route the scopes that the document names. One that the document does not tell of is for administrators:
// what was forgotten there is not open.
func rightsOf(routes []*echo.Route) rights {
	documented, err := documentedRights()
	all := rights{}
	for _, route := range routes {
		scopes, ok := documented[route.Method+" "+route.Path]
		if err != nil || !ok {
			scopes = []apikey.Scope{apikey.Admin}
		}
		all[route.Method+" "+route.Path] = scopes
	}
	return all
}

// needed returns which scopes a request must have. One that meets no route needs none: it is answered with what is wrong with it.
func (all rights) needed(c echo.Context) []apikey.Scope { return all[c.Request().Method+" "+c.Path()] }

// operation is what matters here of an operation in the document.
type operation struct {
	Security []map[string][]apikey.Scope `yaml:"security"`
}

var templated = regexp.MustCompile(`\{(\w+)\}`)

// documentedRights reads the document. An operation says [] if it is for everybody; one that says nothing is left out.
func documentedRights() (rights, error) {
	var document struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openapi.Document, &document); err != nil {
		return nil, fmt.Errorf("reading the API's document: %w", err)
	}
	all := rights{}
	for path, operations := range document.Paths {
		for method, node := range operations {
			var o operation
			if err := node.Decode(&o); err != nil {
				return nil, fmt.Errorf("reading the document of %s %s: %w", method, path, err)
			}
			route := strings.ToUpper(method) + " " + templated.ReplaceAllString(path, ":$1")
			switch {
			case o.Security == nil:
			case len(o.Security) == 0:
				all[route] = []apikey.Scope{}
			case len(o.Security) == 1 && len(o.Security[0]["apiKey"]) > 0:
				all[route] = o.Security[0]["apiKey"]
			}
		}
	}
	return all, nil
}
