package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"sluice/services/api/openapi"
)

// code names a kind of refusal. Codes are stable: clients decide by them.
type code string

const (
	codeInvalidRequest       code = "invalid_request"
	codeCrossOrigin          code = "cross_origin"
	codeUnauthenticated      code = "unauthenticated"
	codeScopeMissing         code = "scope_missing"
	codeRateLimited          code = "rate_limited"
	codeTooManyJobs          code = "too_many_jobs"
	codeKeysUnavailable      code = "keys_unavailable"
	codeUnsupportedMediaType code = "unsupported_media_type"
	codeBodyTooLarge         code = "body_too_large"
	codeNotFound             code = "not_found"
	codeMethodNotAllowed     code = "method_not_allowed"
	codeJobNotFound          code = "job_not_found"
	codeNotFinished          code = "not_finished"
	codeNoResult             code = "no_result"
	codeAlreadyFinished      code = "already_finished"
	codeNotRetryable         code = "not_retryable"
	codeIdempotencyConflict  code = "idempotency_conflict"
	codeSecretKeyMissing     code = "secret_key_missing"
	codeUploadNotFound       code = "upload_not_found"
	codeNotAFile             code = "not_a_file"
	codeEmptyUpload          code = "empty_upload"
	codeUploadIncomplete     code = "upload_incomplete"
	codeUploadUnavailable    code = "upload_unavailable"
	codeDatasetNotFound      code = "dataset_not_found"
	codeDatasetNotOwned      code = "dataset_not_owned"
	codeDatasetNotReadable   code = "dataset_not_readable"
	codeDatasetsUnavailable  code = "datasets_unavailable"
	codeDatasetsBusy         code = "datasets_busy"
	codeCursorExpired        code = "cursor_expired"
	codeQueryTooSlow         code = "query_too_slow"
	codeTableBusy            code = "table_busy"
	codeDependentsExist      code = "dependents_exist"
	codeNotPermitted         code = "not_permitted"
	codeDatabaseUnavailable  code = "database_unavailable"
	codeStatusUnavailable    code = "status_unavailable"
	codeQueueUnavailable     code = "queue_unavailable"
	codeIngesterUnavailable  code = "ingester_unavailable"
	codeInternal             code = "internal"
)

// problem is how a code is answered.
type problem struct {
	status int
	title  string
}

// problems is the one table from codes to HTTP; docs/errors.md explains them to users.
var problems = map[code]problem{
	codeInvalidRequest:       {http.StatusBadRequest, "The request is not valid"},
	codeCrossOrigin:          {http.StatusForbidden, "The request comes from elsewhere"},
	codeUnauthenticated:      {http.StatusUnauthorized, "The request has no valid key"},
	codeScopeMissing:         {http.StatusForbidden, "The key is not good for this"},
	codeRateLimited:          {http.StatusTooManyRequests, "The key has been used too often"},
	codeTooManyJobs:          {http.StatusTooManyRequests, "Too many jobs of the key wait"},
	codeKeysUnavailable:      {http.StatusServiceUnavailable, "Keys cannot be checked"},
	codeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body's media type is not supported"},
	codeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large"},
	codeNotFound:             {http.StatusNotFound, "There is no such path"},
	codeMethodNotAllowed:     {http.StatusMethodNotAllowed, "The path does not have this method"},
	codeJobNotFound:          {http.StatusNotFound, "There is no such job"},
	codeNotFinished:          {http.StatusConflict, "The job is still under way"},
	codeNoResult:             {http.StatusConflict, "The job has no result"},
	codeAlreadyFinished:      {http.StatusConflict, "The job has ended already"},
	codeNotRetryable:         {http.StatusConflict, "The job cannot be run again"},
	codeIdempotencyConflict:  {http.StatusConflict, "The idempotency key belongs to another request"},
	codeSecretKeyMissing:     {http.StatusUnprocessableEntity, "The address cannot be kept secret"},
	codeUploadNotFound:       {http.StatusUnprocessableEntity, "There is no such upload"},
	codeNotAFile:             {http.StatusBadRequest, "The body is not a file"},
	codeEmptyUpload:          {http.StatusBadRequest, "The file is empty"},
	codeUploadIncomplete:     {http.StatusBadRequest, "The file did not come to its end"},
	codeUploadUnavailable:    {http.StatusServiceUnavailable, "Uploads cannot be stored"},
	codeDatasetNotFound:      {http.StatusNotFound, "There is no such dataset"},
	codeDatasetNotOwned:      {http.StatusConflict, "The table is not Sluice's own"},
	codeDatasetNotReadable:   {http.StatusConflict, "The API may not read the table"},
	codeDatasetsUnavailable:  {http.StatusServiceUnavailable, "Datasets cannot be read"},
	codeDatasetsBusy:         {http.StatusServiceUnavailable, "Too much is being read, or the table is locked"},
	codeCursorExpired:        {http.StatusGone, "The table is not what it was"},
	codeQueryTooSlow:         {http.StatusUnprocessableEntity, "The query takes too long"},
	codeTableBusy:            {http.StatusServiceUnavailable, "The table is in use by others"},
	codeDependentsExist:      {http.StatusConflict, "Something depends on the table"},
	codeNotPermitted:         {http.StatusConflict, "The ingester's database role may not do this"},
	codeDatabaseUnavailable:  {http.StatusServiceUnavailable, "The database cannot be reached"},
	codeStatusUnavailable:    {http.StatusServiceUnavailable, "Status does not answer"},
	codeQueueUnavailable:     {http.StatusServiceUnavailable, "The queue does not answer"},
	codeIngesterUnavailable:  {http.StatusServiceUnavailable, "No ingester answers"},
	codeInternal:             {http.StatusInternalServerError, "An error of Sluice's own"},
}

// problem is the code's row in the table. What is not in it is the code of a failure, with which a file was looked at in vain.
func (c code) problem() problem {
	if p, ok := problems[c]; ok {
		return p
	}
	return problem{http.StatusUnprocessableEntity, "The file cannot be read"}
}

// refusal is an error that the caller gets to see.
type refusal struct {
	code   code
	detail string
	fields []fieldError
	cause  error // for the log
}

type fieldError struct{ pointer, detail string }

func (r *refusal) Error() string { return string(r.code) + ": " + r.detail }

func (r *refusal) Unwrap() error { return r.cause }

func refuse(c code, detail string, fields ...fieldError) *refusal {
	return &refusal{code: c, detail: detail, fields: fields}
}

// badField refuses a request for one field.
func badField(pointer, detail string) *refusal { return badFields(fieldError{pointer, detail}) }

// badFields refuses a request for its fields. The first of them is told in the detail, too.
func badFields(bad ...fieldError) *refusal {
	name := strings.ReplaceAll(strings.TrimPrefix(bad[0].pointer, "/"), "/", ".")
	if name == "" {
		name = "the body"
	}
	return refuse(codeInvalidRequest, name+" "+bad[0].detail, bad...)
}

func (r *refusal) because(err error) *refusal {
	r.cause = err
	return r
}

// answerError answers a request that failed with application/problem+json (RFC 9457).
func (s *Service) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return // the caller has an answer
	}
	if _, refused := errors.AsType[*refusal](err); !refused && errors.Is(err, context.Canceled) {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the caller has gone: without an answer, or else it would be an empty 200
	}
	r := asRefusal(err)
	known := r.code.problem()
	if known.status >= http.StatusInternalServerError {
		s.config.Log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "code", r.code, "err", err)
	}
	body := openapi.Problem{
		Type: "about:blank", Title: known.title, Status: known.status, Code: string(r.code),
	}
	if r.detail != "" {
		body.Detail = &r.detail
	}
	if len(r.fields) > 0 {
		list := make([]openapi.FieldError, len(r.fields))
		for i, f := range r.fields {
			list[i] = openapi.FieldError{Pointer: f.pointer, Detail: f.detail}
		}
		body.Errors = &list
	}
	data, err := json.Marshal(body)
	if err != nil {
		s.config.Log.Error("problem not encoded", "err", err)
		return
	}
	switch {
	case known.status == http.StatusServiceUnavailable:
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
	case r.code == codeTooManyJobs:
		c.Response().Header().Set(echo.HeaderRetryAfter, "10")
	}
	if err := c.Blob(known.status, "application/problem+json", append(data, '\n')); err != nil {
		s.config.Log.Debug("problem not sent", "err", err)
	}
}

// asRefusal returns what the caller may see of an error.
func asRefusal(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	var h *echo.HTTPError
	if !errors.As(err, &h) {
		return refuse(codeInternal, "the log of the API tells more").because(err)
	}
	switch h.Code {
	case http.StatusNotFound:
		return refuse(codeNotFound, "see /docs for the paths there are, or /openapi.yaml")
	case http.StatusMethodNotAllowed:
		return refuse(codeMethodNotAllowed, "see /docs for the methods there are, or /openapi.yaml")
	case http.StatusRequestEntityTooLarge:
		return refuse(codeBodyTooLarge, "a request's body may have "+maxBody+"iB")
	case http.StatusBadRequest: // a parameter that the generated code could not read
		text, _ := h.Message.(string)
		text, _, _ = strings.Cut(text, ":")
		name := text[strings.LastIndex(text, " ")+1:]
		return refuse(codeInvalidRequest, "the parameter "+name+" is missing or malformed",
			fieldError{name, "is missing or malformed"})
	}
	return refuse(codeInternal, "the log of the API tells more").because(err)
}
