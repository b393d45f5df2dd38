package refusal

import (
	"maps"
	"net/http"
	"slices"
)

// Code names a kind of refusal. Codes are stable: clients decide by them.
type Code string

// The codes of the API. docs/errors.md tells when each is met and what to do.
const (
	InvalidRequest       Code = "invalid_request"
	CrossOrigin          Code = "cross_origin"
	Unauthenticated      Code = "unauthenticated"
	ScopeMissing         Code = "scope_missing"
	RateLimited          Code = "rate_limited"
	TooManyJobs          Code = "too_many_jobs"
	KeysUnavailable      Code = "keys_unavailable"
	UnsupportedMediaType Code = "unsupported_media_type"
	BodyTooLarge         Code = "body_too_large"
	NotFound             Code = "not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	JobNotFound          Code = "job_not_found"
	NotFinished          Code = "not_finished"
	NoResult             Code = "no_result"
	AlreadyFinished      Code = "already_finished"
	NotRetryable         Code = "not_retryable"
	IdempotencyConflict  Code = "idempotency_conflict"
	SecretKeyMissing     Code = "secret_key_missing"
	UploadNotFound       Code = "upload_not_found"
	NotAFile             Code = "not_a_file"
	EmptyUpload          Code = "empty_upload"
	UploadIncomplete     Code = "upload_incomplete"
	UploadUnavailable    Code = "upload_unavailable"
	DatasetNotFound      Code = "dataset_not_found"
	DatasetNotOwned      Code = "dataset_not_owned"
	DatasetNotReadable   Code = "dataset_not_readable"
	DatasetsUnavailable  Code = "datasets_unavailable"
	DatasetsBusy         Code = "datasets_busy"
	CursorExpired        Code = "cursor_expired"
	QueryTooSlow         Code = "query_too_slow"
	TableBusy            Code = "table_busy"
	DependentsExist      Code = "dependents_exist"
	NotPermitted         Code = "not_permitted"
	DatabaseUnavailable  Code = "database_unavailable"
	StatusUnavailable    Code = "status_unavailable"
	QueueUnavailable     Code = "queue_unavailable"
	IngesterUnavailable  Code = "ingester_unavailable"
	Internal             Code = "internal"
)

// problem is how a code is answered.
type problem struct {
	status int
	title  string
}

// problems is the one table from codes to HTTP; docs/errors.md explains them to users.
var problems = map[Code]problem{
	InvalidRequest:       {http.StatusBadRequest, "The request is not valid"},
	CrossOrigin:          {http.StatusForbidden, "The request comes from elsewhere"},
	Unauthenticated:      {http.StatusUnauthorized, "The request has no valid key"},
	ScopeMissing:         {http.StatusForbidden, "The key is not good for this"},
	RateLimited:          {http.StatusTooManyRequests, "The key has been used too often"},
	TooManyJobs:          {http.StatusTooManyRequests, "Too many jobs of the key wait"},
	KeysUnavailable:      {http.StatusServiceUnavailable, "Keys cannot be checked"},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body's media type is not supported"},
	BodyTooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large"},
	NotFound:             {http.StatusNotFound, "There is no such path"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "The path does not have this method"},
	JobNotFound:          {http.StatusNotFound, "There is no such job"},
	NotFinished:          {http.StatusConflict, "The job is still under way"},
	NoResult:             {http.StatusConflict, "The job has no result"},
	AlreadyFinished:      {http.StatusConflict, "The job has ended already"},
	NotRetryable:         {http.StatusConflict, "The job cannot be run again"},
	IdempotencyConflict:  {http.StatusConflict, "The idempotency key belongs to another request"},
	SecretKeyMissing:     {http.StatusUnprocessableEntity, "The address cannot be kept secret"},
	UploadNotFound:       {http.StatusUnprocessableEntity, "There is no such upload"},
	NotAFile:             {http.StatusBadRequest, "The body is not a file"},
	EmptyUpload:          {http.StatusBadRequest, "The file is empty"},
	UploadIncomplete:     {http.StatusBadRequest, "The file did not come to its end"},
	UploadUnavailable:    {http.StatusServiceUnavailable, "Uploads cannot be stored"},
	DatasetNotFound:      {http.StatusNotFound, "There is no such dataset"},
	DatasetNotOwned:      {http.StatusConflict, "The table is not Sluice's own"},
	DatasetNotReadable:   {http.StatusConflict, "The API may not read the table"},
	DatasetsUnavailable:  {http.StatusServiceUnavailable, "Datasets cannot be read"},
	DatasetsBusy:         {http.StatusServiceUnavailable, "Too much is being read, or the table is locked"},
	CursorExpired:        {http.StatusGone, "The table is not what it was"},
	QueryTooSlow:         {http.StatusUnprocessableEntity, "The query takes too long"},
	TableBusy:            {http.StatusServiceUnavailable, "The table is in use by others"},
	DependentsExist:      {http.StatusConflict, "Something depends on the table"},
	NotPermitted:         {http.StatusConflict, "The ingester's database role may not do this"},
	DatabaseUnavailable:  {http.StatusServiceUnavailable, "The database cannot be reached"},
	StatusUnavailable:    {http.StatusServiceUnavailable, "Status does not answer"},
	QueueUnavailable:     {http.StatusServiceUnavailable, "The queue does not answer"},
	IngesterUnavailable:  {http.StatusServiceUnavailable, "No ingester answers"},
	Internal:             {http.StatusInternalServerError, "An error of Sluice's own"},
}

// Codes returns the API's own codes.
func Codes() []Code { return slices.Sorted(maps.Keys(problems)) }

// Known reports whether the code is one of the API's own.
func (c Code) Known() bool {
	_, known := problems[c]
	return known
}

// Status is the HTTP status code that the code is answered with.
func (c Code) Status() int { return c.problem().status }

// Title says in a few words what the code means.
func (c Code) Title() string { return c.problem().title }

// problem is the code's row in the table. What is not in it is the code of a failure, with which a file was looked at in vain.
func (c Code) problem() problem {
	if p, ok := problems[c]; ok {
		return p
	}
	return problem{http.StatusUnprocessableEntity, "The file cannot be read"}
}
