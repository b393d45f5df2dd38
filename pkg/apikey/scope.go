package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Scope is what a key may be good for. None includes another one.
type Scope string

// The scopes.
const (
	Read  Scope = "read"  // look at jobs, datasets, queue and workers
	Write Scope = "write" // create, cancel and retry jobs, upload and preview files
	Admin Scope = "admin" // drop datasets
)

// Scopes are all of them.
func Scopes() []Scope { return []Scope{Read, Write, Admin} }

// ParseScopes reads names of scopes. It fails if there is none, or one that is not known, and returns each once.
func ParseScopes(names []string) ([]Scope, error) {
	var scopes []Scope
	for _, name := range names {
		scope := Scope(strings.TrimSpace(name))
		if !slices.Contains(Scopes(), scope) {
			return nil, fmt.Errorf("there is no scope %q; scopes are read, write and admin", name)
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	if len(scopes) == 0 {
		return nil, errors.New("a key needs a scope: read, write or admin")
	}
	return scopes, nil
}
