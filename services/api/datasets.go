package api

import (
	"context"
	"errors"
	"net/url"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/dataset"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// dropTime bounds how long an ingester may take to drop a table, for which it waits some seconds.
const dropTime = 20 * time.Second

// datasetPath is where a table is told of.
func datasetPath(schema, table string) string {
	path := "/v1/datasets/" + url.PathEscape(table)
	if schema != defaultSchema {
		path += "?" + url.Values{"schema": {schema}}.Encode()
	}
	return path
}

// ListDatasets returns a page of the tables that were loaded.
func (s *Service) ListDatasets(ctx context.Context, r openapi.ListDatasetsRequestObject) (openapi.ListDatasetsResponseObject, error) {
	reader, err := s.datasets()
	if err != nil {
		return nil, err
	}
	question := dataset.ListQuery{Schema: valueOr(r.Params.Schema, ""), Cursor: valueOr(r.Params.Cursor, "")}
	if question.Limit, err = pageLimit(r.Params.Limit); err != nil {
		return nil, err
	}
	found, err := reader.List(ctx, question)
	if err != nil {
		return nil, datasetError(err)
	}
	list := openapi.DatasetList{Datasets: make([]openapi.Dataset, len(found.Datasets)), NextCursor: optional(found.Next)}
	for i, d := range found.Datasets {
		list.Datasets[i] = viewDataset(d)
	}
	return openapi.ListDatasets200JSONResponse(list), nil
}

// GetDataset tells what a table is.
func (s *Service) GetDataset(ctx context.Context, r openapi.GetDatasetRequestObject) (openapi.GetDatasetResponseObject, error) {
	reader, err := s.datasets()
	if err != nil {
		return nil, err
	}
	found, err := reader.Get(ctx, valueOr(r.Params.Schema, defaultSchema), r.Table)
	if err != nil {
		return nil, datasetError(err)
	}
	view := viewDataset(found)
	tag, err := etagOf(view)
	if err != nil {
		return nil, err
	}
	if tag.in(r.Params.IfNoneMatch) {
		return tag.notModified(), nil
	}
	return openapi.GetDataset200JSONResponse{Body: view, Headers: openapi.GetDataset200ResponseHeaders{ETag: string(tag)}}, nil
}

// DeleteDataset has an ingester drop a table: the API only reads.
func (s *Service) DeleteDataset(ctx context.Context, r openapi.DeleteDatasetRequestObject) (openapi.DeleteDatasetResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	var dropped events.Dropped
	question := events.Drop{Schema: valueOr(r.Params.Schema, defaultSchema), Table: r.Table}
	if err := bus.Ask(ctx, s.bus.Conn, events.SubjectIngesterDrop, question, &dropped); err != nil {
		return nil, ingesterError(err)
	}
	if dropped.Failure != nil {
		return nil, dropRefusal(*dropped.Failure)
	}
	s.config.Log.Info("dataset dropped", "schema", question.Schema, "table", question.Table)
	return openapi.DeleteDataset204Response{}, nil
}

// dropRefusal tells the caller why a table stands. What is not one of the reasons that there are is in the ingester's log.
func dropRefusal(f events.Failure) error {
	code := refusal.Code(f.Code)
	if !code.Known() {
		code = refusal.DatabaseUnavailable
	}
	return refusal.New(code, f.Message)
}

// datasets returns what reads them.
func (s *Service) datasets() (*dataset.Reader, error) {
	if s.config.Datasets == nil {
		return nil, refusal.New(refusal.DatasetsUnavailable, "the API is not told where datasets are: its SLUICE_POSTGRES_URL is not set")
	}
	return s.config.Datasets, nil
}

// datasetError tells the caller what an error of reading datasets means.
func datasetError(err error) error {
	if bad, ok := errors.AsType[*dataset.ParameterError](err); ok {
		return refusal.BadField(bad.Name, bad.Detail)
	}
	for _, known := range []struct {
		is     error
		code   refusal.Code
		detail string
	}{
		{dataset.ErrNotFound, refusal.DatasetNotFound, "Sluice has loaded no table of that name; /v1/datasets lists those that there are"},
		{dataset.ErrNotReadable, refusal.DatasetNotReadable, "have its owner grant SELECT on it, and USAGE on its schema, to role sluice_reader"},
		{dataset.ErrCursorExpired, refusal.CursorExpired, "it was replaced or rewritten since the page before; begin again without a cursor"},
		{dataset.ErrTooSlow, refusal.QueryTooSlow, "it was given up; leave filters out, or have the column that they are about indexed"},
		{dataset.ErrBusy, refusal.DatasetsBusy, "try again in a moment"},
		{dataset.ErrUnavailable, refusal.DatasetsUnavailable, "the database does not answer the API, or is not set up; jobs go on"},
	} {
		if errors.Is(err, known.is) {
			return refusal.New(known.code, known.detail).Because(err)
		}
	}
	return err
}

// pageLimit is how many entries a page is to have.
func pageLimit(asked *int) (int, error) {
	limit := valueOr(asked, defaultLimit)
	if limit < 1 || limit > maxLimit {
		return 0, refusal.BadField("limit", "must be 1 to 1000")
	}
	return limit, nil
}

func valueOr[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

func viewDataset(d dataset.Dataset) openapi.Dataset {
	columns := make([]openapi.DatasetColumn, len(d.Columns))
	for i, c := range d.Columns {
		columns[i] = openapi.DatasetColumn{Name: c.Name, Type: c.Type, Nullable: c.Nullable}
	}
	return openapi.Dataset{
		Schema: d.Schema, Table: d.Table, JobID: d.JobID, Source: optional(d.Source), Mode: openapi.Mode(d.Mode), LoadedAt: d.LoadedAt,
		MadeBySluice: d.Made, Rows: d.Rows, Bytes: d.Bytes, Columns: columns,
	}
}
