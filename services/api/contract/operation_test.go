package contract

import (
	"slices"
	"strings"
	"testing"

	"sluice/pkg/apikey"
)

func TestOperation(t *testing.T) {
	all, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	o, ok := all.At("GET", "/v1/datasets/:table/rows")
	if !ok {
		t.Fatal("the rows of a dataset are missing")
	}
	var names []string
	for _, p := range o.Parameters {
		names = append(names, p.In+":"+p.Name)
	}
	want := "path:table query:schema query:columns query:filter query:limit query:cursor query:format query:formula_safe"
	if got := strings.Join(names, " "); o.ID != "getDatasetRows" || got != want || !o.Parameters[0].Required || o.body != nil || o.Tolerant {
		t.Errorf("read %+v with %s, want %s", o, got, want)
	}
	for route, scopes := range map[string][]apikey.Scope{
		"GET /v1/datasets/:table/rows": {"read"}, "POST /v1/jobs": {"write"}, "DELETE /v1/datasets/:table": {"admin"}, "GET /healthz": nil,
	} {
		if got := all.byRoute[route].Scopes; !slices.Equal(got, scopes) {
			t.Errorf("%s asks for %v, want %v", route, got, scopes)
		}
	}
	if !all.byRoute["GET /job_status"].Tolerant || all.byRoute["POST /v1/jobs"].body == nil {
		t.Error("the first design is not tolerant, or a job has no body")
	}
}

func TestScopesThatAreForgotten(t *testing.T) {
	if got := scopesIn(nil); !slices.Equal(got, []apikey.Scope{apikey.Admin}) {
		t.Errorf("an operation that says nothing asks for %v", got)
	}
}
