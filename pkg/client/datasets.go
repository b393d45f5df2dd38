package client

import (
	"context"
	"io"
)

// Datasets lists a page of the tables that were loaded.
func (c *Client) Datasets(ctx context.Context, params ListDatasetsParams) (Answer[DatasetList], error) {
	return answer[DatasetList](c.calls.ListDatasets(ctx, &params))
}

// Dataset tells what a table is. An empty schema is public.
func (c *Client) Dataset(ctx context.Context, schema, table string) (Answer[Dataset], error) {
	return answer[Dataset](c.calls.GetDataset(ctx, table, &GetDatasetParams{Schema: optional(schema)}))
}

// DropDataset drops a table with all its rows.
func (c *Client) DropDataset(ctx context.Context, schema, table string) error {
	r, err := c.calls.DeleteDataset(ctx, table, &DeleteDatasetParams{Schema: optional(schema)})
	if err != nil {
		return err
	}
	return r.Body.Close()
}

// Rows reads a page of a table's rows.
func (c *Client) Rows(ctx context.Context, table string, params GetDatasetRowsParams) (Answer[RowList], error) {
	return answer[RowList](c.calls.GetDatasetRows(ctx, table, &params, accepting(jsonType)))
}

// RowsCSV is all rows of a table, or as many as params say, as CSV with a header. The caller closes it. An export that breaks
// off ends with an error, not with [io.EOF].
func (c *Client) RowsCSV(ctx context.Context, table string, params GetDatasetRowsParams) (io.ReadCloser, error) {
	r, err := c.calls.GetDatasetRows(ctx, table, &params, accepting(csvType))
	return stream(r, err, csvType)
}

// RowsNDJSON is [Client.RowsCSV] with a JSON object on a line for each row.
func (c *Client) RowsNDJSON(ctx context.Context, table string, params GetDatasetRowsParams) (io.ReadCloser, error) {
	r, err := c.calls.GetDatasetRows(ctx, table, &params, accepting(ndjsonType))
	return stream(r, err, ndjsonType)
}
