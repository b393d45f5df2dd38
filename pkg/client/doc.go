// Package client talks to Sluice's API.
//
// Types and calls are generated from the API's description. [Client] puts over them what every caller needs: a key, errors
// that can be told apart ([Problem], [Unreachable], [Unexpected]), questions asked again when the API says when, uploads and
// exports as streams, and jobs and events as they change.
package client

//go:generate env GOWORK=off go tool -modfile=../../tools/go.mod oapi-codegen -config config.yaml ../../services/api/openapi/openapi.yaml
