package contract

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

// Parameters refuses requests whose parameters are not as the document says, and names each that is not.
func (c *Contract) Parameters() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(request echo.Context) error {
			o, ok := c.Of(request)
			if !ok {
				return next(request)
			}
			query, err := url.ParseQuery(request.Request().URL.RawQuery)
			if err != nil && !o.Tolerant {
				return refusal.New(refusal.InvalidRequest, "the query cannot be read; percent-encode its values, a semicolon as %3B").Because(err)
			}
			bad := o.unknown(query)
			for _, p := range o.Parameters {
				problem, err := c.document.checkParameter(p, p.values(request, query))
				if err != nil {
					return err
				}
				if problem != "" {
					bad = append(bad, refusal.At(p.Name, problem))
				}
			}
			if len(bad) > 0 {
				return refusal.BadFields(bad[:min(len(bad), MaxFields)]...)
			}
			return next(request)
		}
	}
}

// unknown names the query parameters that the operation does not have.
func (o *Operation) unknown(query url.Values) (bad []refusal.Field) {
	if o.Tolerant {
		return nil
	}
	var known []string
	for _, p := range o.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	has := "it has none"
	if len(known) > 0 {
		has = "it has " + strings.Join(known, ", ")
	}
	for name := range query {
		if !slices.Contains(known, name) {
			bad = append(bad, refusal.At(name, "is not a parameter of this call; "+has))
		}
	}
	slices.SortFunc(bad, func(a, b refusal.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return bad
}

// values returns what a request says of the parameter.
func (p Parameter) values(c echo.Context, query url.Values) []string {
	switch p.In {
	case "query":
		return query[p.Name]
	case "header":
		return c.Request().Header[http.CanonicalHeaderKey(p.Name)]
	}
	value, err := url.PathUnescape(c.Param(p.Name))
	if err != nil {
		value = c.Param(p.Name)
	}
	return []string{value}
}

// checkParameter says what is wrong with the values of a parameter.
func (d *Document) checkParameter(p Parameter, values []string) (string, error) {
	switch {
	case len(values) == 0 && p.Required:
		return "is missing", nil
	case len(values) == 0:
		return "", nil
	case len(values) > 1 && !p.list:
		return "is given more than once", nil
	}
	var list []any
	for _, text := range values {
		value, problem := p.read(text)
		if problem != "" {
			return problem, nil
		}
		list = append(list, value)
	}
	var value any = list
	if !p.list {
		value = list[0]
	}
	bad, err := d.violations(p.schema, value)
	if err != nil || len(bad) == 0 {
		return "", err
	}
	return bad[0].Detail, nil
}

// read makes of a text what the parameter's type says.
func (p Parameter) read(text string) (value any, problem string) {
	switch p.kind {
	case "integer":
		digits := strings.TrimPrefix(text, "-")
		if digits == "" || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
			return nil, "must be a whole number"
		}
		return json.Number(text), ""
	case "boolean":
		if text != "true" && text != "false" {
			return nil, "must be true or false"
		}
		return text == "true", ""
	}
	if p.In == "query" && !p.anyBytes && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
		return nil, "contains NUL or what is not UTF-8"
	}
	return text, ""
}
