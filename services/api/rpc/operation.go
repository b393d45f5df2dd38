package rpc

import (
	"net/http"

	"sluice/pkg/proto/sluice/v1/sluicev1connect"
)

// operation is the request to the REST API that a call is made.
type operation struct {
	method string
	path   string // as openapi.yaml has it
	query  string // what it always asks for
	accept string // the media type that it wants, if not JSON
	field  string // of the call's answer, that the request's answer is put into; "" if they have the same fields
}

// operations has one for each call. What a key must be allowed to is that of the request.
func operations() map[string]operation {
	return map[string]operation{
		sluicev1connect.JobServiceCreateJobProcedure: {method: http.MethodPost, path: "/v1/jobs", field: "job"},
		sluicev1connect.JobServiceGetJobProcedure:    {method: http.MethodGet, path: "/v1/jobs/{id}", field: "job"},
		sluicev1connect.JobServiceListJobsProcedure:  {method: http.MethodGet, path: "/v1/jobs"},
		sluicev1connect.JobServiceCancelJobProcedure: {method: http.MethodPost, path: "/v1/jobs/{id}/cancel", field: "job"},
		sluicev1connect.JobServiceRetryJobProcedure:  {method: http.MethodPost, path: "/v1/jobs/{id}/retry", field: "job"},
		sluicev1connect.JobServiceWatchJobProcedure:  {method: http.MethodGet, path: "/v1/jobs/{id}/events", accept: eventStream},
		sluicev1connect.JobServiceWatchJobsProcedure: {method: http.MethodGet, path: "/v1/events", accept: eventStream},

		sluicev1connect.ResultServiceGetJobResultProcedure: {method: http.MethodGet, path: "/v1/jobs/{id}/result", field: "result"},
		sluicev1connect.ResultServiceListRejectsProcedure:  {method: http.MethodGet, path: "/v1/jobs/{id}/rejects", query: "format=json"},

		sluicev1connect.DatasetServiceListDatasetsProcedure:  {method: http.MethodGet, path: "/v1/datasets"},
		sluicev1connect.DatasetServiceGetDatasetProcedure:    {method: http.MethodGet, path: "/v1/datasets/{table}", field: "dataset"},
		sluicev1connect.DatasetServiceDeleteDatasetProcedure: {method: http.MethodDelete, path: "/v1/datasets/{table}"},
		sluicev1connect.DatasetServiceListRowsProcedure:      {method: http.MethodGet, path: "/v1/datasets/{table}/rows", query: "format=json"},
		sluicev1connect.DatasetServiceExportRowsProcedure:    {method: http.MethodGet, path: "/v1/datasets/{table}/rows", query: "format=ndjson"},
	}
}
