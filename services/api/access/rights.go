package access

import (
	"github.com/labstack/echo/v4"

	"sluice/pkg/apikey"
	"sluice/services/api/contract"
)

// rights says which scopes a key must have for each route that there is, by its method and path as Echo has them. A route that
// is for everybody has none.
type rights map[string][]apikey.Scope

// rightsOf gives each route the scopes that the document names. One that the document does not tell of is for administrators:
// what was forgotten there is not open.
func rightsOf(routes []*echo.Route) rights {
	documented, err := contract.Read()
	all := rights{}
	for _, route := range routes {
		name := route.Method + " " + route.Path
		all[name] = []apikey.Scope{apikey.Admin}
		if err != nil {
			continue
		}
		if o, ok := documented.At(route.Method, route.Path); ok {
			all[name] = o.Scopes
		}
	}
	return all
}

// needed returns which scopes a request must have. One that meets no route needs none: it is answered with what is wrong with it.
func (all rights) needed(c echo.Context) []apikey.Scope { return all[c.Request().Method+" "+c.Path()] }
