package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"sluice/pkg/apikey"
)

// TestOperationsAreTheRoutes holds that each route has its operation, so that none is left unchecked.
func TestOperationsAreTheRoutes(t *testing.T) {
	all, err := describedOperations()
	if err != nil {
		t.Fatal(err)
	}
	e, ok := New(DefaultConfig(), nil, noKey).Handler().(*echo.Echo)
	if !ok {
		t.Fatal("the handler is not Echo's")
	}
	for _, route := range e.Routes() {
		if route.Method == http.MethodHead {
			route.Method = http.MethodGet
		}
		if o := all.byRoute[route.Method+" "+route.Path]; o == nil || o.id == "" {
			t.Errorf("%s %s: %+v", route.Method, route.Path, o)
		}
	}
}

func TestOperation(t *testing.T) {
	all, err := describedOperations()
	if err != nil {
		t.Fatal(err)
	}
	o := all.byRoute["GET /v1/datasets/:table/rows"]
	if o == nil {
		t.Fatal("the rows of a dataset are missing")
	}
	var names []string
	for _, p := range o.parameters {
		names = append(names, p.in+":"+p.name)
	}
	want := "path:table query:schema query:columns query:filter query:limit query:cursor query:format query:formula_safe"
	if got := strings.Join(names, " "); o.id != "getDatasetRows" || got != want || !o.parameters[0].required || o.body != nil || o.tolerant {
		t.Errorf("read %+v with %s, want %s", o, got, want)
	}
	for route, scopes := range map[string][]apikey.Scope{
		"GET /v1/datasets/:table/rows": {"read"}, "POST /v1/jobs": {"write"}, "DELETE /v1/datasets/:table": {"admin"}, "GET /healthz": nil,
	} {
		if got := all.byRoute[route].scopes; !slices.Equal(got, scopes) {
			t.Errorf("%s asks for %v, want %v", route, got, scopes)
		}
	}
	if !all.byRoute["GET /job_status"].tolerant || all.byRoute["POST /v1/jobs"].body == nil {
		t.Error("the first design is not tolerant, or a job has no body")
	}
}
