package access

import (
	"slices"
	"testing"

	"github.com/labstack/echo/v4"

	"sluice/pkg/apikey"
)

// TestRoutesThatAreNotDescribed holds that what the document does not tell of is for administrators.
func TestRoutesThatAreNotDescribed(t *testing.T) {
	all := rightsOf([]*echo.Route{{Method: "GET", Path: "/v1/jobs"}, {Method: "GET", Path: "/healthz"}, {Method: "GET", Path: "/forgotten"}})
	for route, want := range map[string][]apikey.Scope{
		"GET /v1/jobs": {apikey.Read}, "GET /healthz": nil, "GET /forgotten": {apikey.Admin},
	} {
		if got := all[route]; !slices.Equal(got, want) {
			t.Errorf("%s asks for %v", route, got)
		}
	}
}
