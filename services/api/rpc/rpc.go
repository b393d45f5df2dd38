// Package rpc offers the API's jobs, results and datasets as typed calls: gRPC, gRPC-Web, and Connect's own protocol with
// JSON. Each call is made one of the REST API, so that it does the same, by the same rules, and nothing else.
package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"

	"sluice/pkg/proto/sluice/v1/sluicev1connect"
)

// maxMessage bounds a request, decompressed, in bytes: as much as the body of one to the REST API.
const maxMessage = 1 << 20

// Handler answers calls. It implements [http.Handler].
type Handler struct {
	rest  http.Handler
	log   *slog.Logger
	calls *http.ServeMux
	paths []string // of the services, each with a slash behind it
}

// New returns a handler that makes each call a request to rest.
func New(rest http.Handler, log *slog.Logger) *Handler {
	h := &Handler{rest: rest, log: log, calls: http.NewServeMux()}
	options := connect.WithHandlerOptions(
		connect.WithCodec(binary{}), connect.WithCodec(text{"json"}), connect.WithCodec(text{"json; charset=utf-8"}),
		connect.WithReadMaxBytes(maxMessage),
		connect.WithRecover(func(_ context.Context, spec connect.Spec, _ http.Header, cause any) error {
			return h.mistake(fmt.Errorf("panic while answering %s: %v", spec.Procedure, cause))
		}),
	)
	names := []string{sluicev1connect.JobServiceName, sluicev1connect.ResultServiceName, sluicev1connect.DatasetServiceName}
	h.mount(sluicev1connect.NewJobServiceHandler(jobs{h}, options))
	h.mount(sluicev1connect.NewResultServiceHandler(results{h}, options))
	h.mount(sluicev1connect.NewDatasetServiceHandler(datasets{h}, options))
	h.mount(grpchealth.NewHandler(health{h, names}, options))
	reflector := grpcreflect.NewStaticReflector(names...)
	h.mount(grpcreflect.NewHandlerV1(reflector, options))
	h.mount(grpcreflect.NewHandlerV1Alpha(reflector, options))
	return h
}

func (h *Handler) mount(path string, service http.Handler) {
	h.paths = append(h.paths, path)
	h.calls.Handle(path, service)
}

// Has reports whether a request's path is that of a call.
func (h *Handler) Has(path string) bool {
	for _, service := range h.paths {
		if strings.HasPrefix(path, service) {
			return true
		}
	}
	return false
}

// outer is the request that a call came with, and the way to its answer.
type outer struct {
	w http.ResponseWriter
	r *http.Request
}

type outerKey struct{}

// ServeHTTP answers a call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), outerKey{}, outer{w, r})))
}
