package api

import (
	"context"
	"net/url"

	"sluice/services/api/openapi"
)

// datasetPath is where a table is told of.
func datasetPath(schema, table string) string {
	path := "/v1/datasets/" + url.PathEscape(table)
	if schema != defaultSchema {
		path += "?" + url.Values{"schema": {schema}}.Encode()
	}
	return path
}

// ListDatasets is not there yet.
func (s *Service) ListDatasets(context.Context, openapi.ListDatasetsRequestObject) (openapi.ListDatasetsResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// GetDataset is not there yet.
func (s *Service) GetDataset(context.Context, openapi.GetDatasetRequestObject) (openapi.GetDatasetResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// DeleteDataset is not there yet.
func (s *Service) DeleteDataset(context.Context, openapi.DeleteDatasetRequestObject) (openapi.DeleteDatasetResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// GetDatasetRows is not there yet.
func (s *Service) GetDatasetRows(context.Context, openapi.GetDatasetRowsRequestObject) (openapi.GetDatasetRowsResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}

// GetJobRejects is not there yet.
func (s *Service) GetJobRejects(context.Context, openapi.GetJobRejectsRequestObject) (openapi.GetJobRejectsResponseObject, error) {
	return nil, refuse(codeNotFound, "it is not there yet")
}
