package rpc

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is that of the codes in [errdetails.ErrorInfo]: what docs/errors.md lists.
const Domain = "sluice"

// problem is what the REST API answers what it refuses (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// CodeOf returns the code of a call that fails as a request with a problem's code and HTTP status does.
func CodeOf(code string, status int) connect.Code {
	switch code {
	case "idempotency_conflict":
		return connect.CodeAlreadyExists
	case "method_not_allowed":
		return connect.CodeUnimplemented
	}
	switch status {
	case http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case http.StatusForbidden:
		return connect.CodePermissionDenied
	case http.StatusNotFound:
		return connect.CodeNotFound
	case http.StatusConflict, http.StatusGone, http.StatusUnprocessableEntity, http.StatusPreconditionFailed:
		return connect.CodeFailedPrecondition
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return connect.CodeResourceExhausted
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return connect.CodeUnavailable
	}
	if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
		return connect.CodeInvalidArgument
	}
	return connect.CodeInternal
}

// refusal makes a problem a call's error.
func (h *Handler) refusal(answer *reply) error {
	var p problem
	if err := json.Unmarshal(answer.body.Bytes(), &p); err != nil || p.Code == "" {
		return h.mistake(errors.Join(fmt.Errorf("an answer with status %d is no problem", answer.status), err))
	}
	refused := connect.NewError(CodeOf(p.Code, p.Status), errors.New(cmp.Or(p.Detail, p.Title)))
	explain(refused, &errdetails.ErrorInfo{Reason: p.Code, Domain: Domain})
	if len(p.Errors) > 0 {
		bad := &errdetails.BadRequest{}
		for _, e := range p.Errors {
			bad.FieldViolations = append(bad.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: e.Pointer, Description: e.Detail})
		}
		explain(refused, bad)
	}
	if seconds, err := strconv.Atoi(answer.header.Get("Retry-After")); err == nil {
		explain(refused, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(seconds) * time.Second)})
	}
	carryBack(answer.header, refused.Meta())
	return refused
}

// invalid is the error for a field that no request can be made of.
func invalid(field, why string) error {
	e := connect.NewError(connect.CodeInvalidArgument, errors.New(field+" "+why))
	explain(e, &errdetails.ErrorInfo{Reason: "invalid_request", Domain: Domain})
	explain(e, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: why}}})
	return e
}

// broken is the error for a stream that ends before what it tells of does.
func broken(why string) error {
	return connect.NewError(connect.CodeUnavailable, errors.New(why))
}

// mistake is the error for a mistake of ours, which the log tells of and the caller does not see.
func (h *Handler) mistake(err error) error {
	h.log.Error("call failed", "err", err)
	e := connect.NewError(connect.CodeInternal, errors.New("the log of the API tells more"))
	explain(e, &errdetails.ErrorInfo{Reason: "internal", Domain: Domain})
	return e
}

// explain adds a detail. One that cannot be encoded is left out.
func explain(e *connect.Error, detail proto.Message) {
	if d, err := connect.NewErrorDetail(detail); err == nil {
		e.AddDetail(d)
	}
}

// carryBack tells the caller what the request's answer says besides.
func carryBack(from, to http.Header) {
	for _, name := range []string{"RateLimit", "RateLimit-Policy", "Retry-After"} {
		if value := from.Get(name); value != "" {
			to.Set(name, value)
		}
	}
}
