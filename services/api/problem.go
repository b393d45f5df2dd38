package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// answerError answers a request that failed with application/problem+json (RFC 9457).
func (s *Service) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return // the caller has an answer
	}
	if _, refused := errors.AsType[*refusal.Error](err); !refused && errors.Is(err, context.Canceled) {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the caller has gone: without an answer, or else it would be an empty 200
	}
	r := asRefusal(err)
	if r.Code.Status() >= http.StatusInternalServerError {
		s.config.Log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "code", r.Code, "err", err)
	}
	body := openapi.Problem{
		Type: "about:blank", Title: r.Code.Title(), Status: r.Code.Status(), Code: string(r.Code),
	}
	if r.Detail != "" {
		body.Detail = &r.Detail
	}
	if len(r.Fields) > 0 {
		list := make([]openapi.FieldError, len(r.Fields))
		for i, f := range r.Fields {
			list[i] = openapi.FieldError{Pointer: f.Pointer, Detail: f.Detail}
		}
		body.Errors = &list
	}
	data, err := json.Marshal(body)
	if err != nil {
		s.config.Log.Error("problem not encoded", "err", err)
		return
	}
	switch {
	case r.Code.Status() == http.StatusServiceUnavailable:
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
	case r.Code == refusal.TooManyJobs:
		c.Response().Header().Set(echo.HeaderRetryAfter, "10")
	}
	if err := c.Blob(r.Code.Status(), "application/problem+json", append(data, '\n')); err != nil {
		s.config.Log.Debug("problem not sent", "err", err)
	}
}

// asRefusal returns what the caller may see of an error.
func asRefusal(err error) *refusal.Error {
	if r, ok := errors.AsType[*refusal.Error](err); ok {
		return r
	}
	var h *echo.HTTPError
	if !errors.As(err, &h) {
		return refusal.New(refusal.Internal, "the log of the API tells more").Because(err)
	}
	switch h.Code {
	case http.StatusNotFound:
		return refusal.New(refusal.NotFound, "see /docs for the paths there are, or /openapi.yaml")
	case http.StatusMethodNotAllowed:
		return refusal.New(refusal.MethodNotAllowed, "see /docs for the methods there are, or /openapi.yaml")
	case http.StatusRequestEntityTooLarge:
		return refusal.New(refusal.BodyTooLarge, "a request's body may have "+maxBody+"iB")
	case http.StatusBadRequest: // a parameter that the generated code could not read
		text, _ := h.Message.(string)
		text, _, _ = strings.Cut(text, ":")
		name := text[strings.LastIndex(text, " ")+1:]
		return refusal.New(refusal.InvalidRequest, "the parameter "+name+" is missing or malformed",
			refusal.At(name, "is missing or malformed"))
	}
	return refusal.New(refusal.Internal, "the log of the API tells more").Because(err)
}
