package rpc

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
)

// health answers whether the API can serve, as /readyz does. It implements [grpchealth.Checker].
type health struct {
	*Handler
	names []string
}

// Check implements [grpchealth.Checker]. The service "" is all of them.
func (h health) Check(ctx context.Context, question *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if question.Service != "" && !slices.Contains(h.names, question.Service) {
		return nil, connect.NewError(connect.CodeNotFound, errors.New("there is no such service"))
	}
	from, ok := ctx.Value(outerKey{}).(outer)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil)
	if !ok || err != nil {
		return nil, h.mistake(errors.Join(errors.New("a call without its request"), err))
	}
	r.Host = from.r.Host
	answer := &reply{outer: from.w, header: http.Header{}}
	if err := h.serve(answer, r); err != nil {
		return nil, err
	}
	if answer.status == http.StatusOK {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
}
