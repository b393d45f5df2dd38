package api

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

// checkParameters refuses requests whose parameters are not as the document says, and names each that is not.
func checkParameters(all *operations) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			o, ok := all.of(c)
			if !ok {
				return next(c)
			}
			query, err := url.ParseQuery(c.Request().URL.RawQuery)
			if err != nil && !o.tolerant {
				return refusal.New(refusal.InvalidRequest, "the query cannot be read; percent-encode its values, a semicolon as %3B").Because(err)
			}
			bad := o.unknown(query)
			for _, p := range o.parameters {
				problem, err := all.document.checkParameter(p, p.values(c, query))
				if err != nil {
					return err
				}
				if problem != "" {
					bad = append(bad, refusal.Field{Pointer: p.name, Detail: problem})
				}
			}
			if len(bad) > 0 {
				return refusal.BadFields(bad[:min(len(bad), maxViolations)]...)
			}
			return next(c)
		}
	}
}

// unknown names the query parameters that the operation does not have.
func (o *operation) unknown(query url.Values) (bad []refusal.Field) {
	if o.tolerant {
		return nil
	}
	var known []string
	for _, p := range o.parameters {
		if p.in == "query" {
			known = append(known, p.name)
		}
	}
	has := "it has none"
	if len(known) > 0 {
		has = "it has " + strings.Join(known, ", ")
	}
	for name := range query {
		if !slices.Contains(known, name) {
			bad = append(bad, refusal.Field{Pointer: name, Detail: "is not a parameter of this call; " + has})
		}
	}
	slices.SortFunc(bad, func(a, b refusal.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return bad
}

// values returns what a request says of the parameter.
func (p parameter) values(c echo.Context, query url.Values) []string {
	switch p.in {
	case "query":
		return query[p.name]
	case "header":
		return c.Request().Header[http.CanonicalHeaderKey(p.name)]
	}
	value, err := url.PathUnescape(c.Param(p.name))
	if err != nil {
		value = c.Param(p.name)
	}
	return []string{value}
}

// checkParameter says what is wrong with the values of a parameter.
func (d *document) checkParameter(p parameter, values []string) (string, error) {
	switch {
	case len(values) == 0 && p.required:
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
func (p parameter) read(text string) (value any, problem string) {
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
	if p.in == "query" && !p.anyBytes && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
		return nil, "contains NUL or what is not UTF-8"
	}
	return text, ""
}
