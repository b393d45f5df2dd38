// Package contract compares requests with openapi.yaml: their parameters, and bodies in JSON. Whatever is wrong with one is said at
// once, in our own words, of each field.
package contract

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"sluice/services/api/openapi"
)

// Contract is what openapi.yaml says of the calls that there are.
type Contract struct {
	document *Document
	byRoute  map[string]*Operation // by method and path, as Echo has them
}

var read = sync.OnceValues(func() (*Contract, error) {
	d, err := ReadDocument(openapi.Document)
	if err != nil {
		return nil, err
	}
	all := &Contract{document: d, byRoute: map[string]*Operation{}}
	paths, _ := d.Object("paths")
	for path := range paths {
		methods, _ := d.Object("paths", path)
		for method := range methods {
			o, err := d.operation(path, method)
			if err != nil {
				return nil, err
			}
			all.byRoute[o.Method+" "+o.Path] = o
		}
	}
	return all, nil
})

// Read returns the contract, which is read once. It fails only if openapi.yaml, which is a part of the program, is spoilt.
func Read() (*Contract, error) { return read() }

// At returns the operation that has a route, by its method and path as Echo has them, if there is such a one.
func (c *Contract) At(method, path string) (*Operation, bool) {
	o, ok := c.byRoute[method+" "+path]
	return o, ok
}

// Of returns the operation that a request asks for, if there is such a one.
func (c *Contract) Of(request echo.Context) (*Operation, bool) {
	return c.At(request.Request().Method, request.Path())
}

// Operations returns all operations, ordered by path and method.
func (c *Contract) Operations() []*Operation {
	return slices.SortedFunc(maps.Values(c.byRoute), func(a, b *Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
}
