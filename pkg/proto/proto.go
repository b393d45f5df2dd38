// Package proto holds the definitions of the typed API, in sluice/v1, and how code is generated from them.
package proto

//go:generate env GOWORK=off go tool -modfile=../../tools/buf/go.mod buf generate
