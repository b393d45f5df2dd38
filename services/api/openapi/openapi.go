// Package openapi holds the description of the API, and the types and routes that are generated from it.
package openapi

import _ "embed"

//go:generate env GOWORK=off go tool -modfile=../../../tools/go.mod oapi-codegen -config config.yaml openapi.yaml

// Document is the OpenAPI 3.1 description of the API, in YAML.
//
//go:embed openapi.yaml
var Document []byte
