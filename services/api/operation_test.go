package api

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"sluice/services/api/contract"
)

// TestOperationsAreTheRoutes holds that each route has its operation, so that none is left unchecked.
func TestOperationsAreTheRoutes(t *testing.T) {
	all, err := contract.Read()
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
		if o, ok := all.At(route.Method, route.Path); !ok || o.ID == "" {
			t.Errorf("%s %s: %+v", route.Method, route.Path, o)
		}
	}
}
