package rpc

import (
	"context"

	"connectrpc.com/connect"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

// exported is how much of a table is sent at once, in bytes.
const exported = 32 << 10

// datasets implements [sluicev1connect.DatasetServiceHandler].
type datasets struct{ *Handler }

// ListDatasets is GET /v1/datasets.
func (d datasets) ListDatasets(ctx context.Context, m *sluicev1.ListDatasetsRequest) (*sluicev1.ListDatasetsResponse, error) {
	return call(ctx, d.Handler, m, &sluicev1.ListDatasetsResponse{})
}

// GetDataset is GET /v1/datasets/{table}.
func (d datasets) GetDataset(ctx context.Context, m *sluicev1.GetDatasetRequest) (*sluicev1.GetDatasetResponse, error) {
	return call(ctx, d.Handler, m, &sluicev1.GetDatasetResponse{})
}

// DeleteDataset is DELETE /v1/datasets/{table}.
func (d datasets) DeleteDataset(ctx context.Context, m *sluicev1.DeleteDatasetRequest) (*sluicev1.DeleteDatasetResponse, error) {
	return call(ctx, d.Handler, m, &sluicev1.DeleteDatasetResponse{})
}

// ListRows is GET /v1/datasets/{table}/rows as JSON.
func (d datasets) ListRows(ctx context.Context, m *sluicev1.ListRowsRequest) (*sluicev1.ListRowsResponse, error) {
	return call(ctx, d.Handler, m, &sluicev1.ListRowsResponse{})
}

// ExportRows is GET /v1/datasets/{table}/rows as NDJSON.
func (d datasets) ExportRows(
	ctx context.Context, m *sluicev1.ExportRowsRequest, to *connect.ServerStream[sluicev1.ExportRowsResponse],
) error {
	r, _, err := d.request(ctx, m)
	if err != nil {
		return err
	}
	var rows []string
	size := 0
	send := func() error {
		if len(rows) == 0 {
			return nil
		}
		sent := &sluicev1.ExportRowsResponse{Rows: rows}
		rows, size = nil, 0
		return to.Send(sent)
	}
	answer := &reply{flush: send, line: func(line []byte) error {
		rows, size = append(rows, string(line)), size+len(line)
		if size < exported {
			return nil
		}
		return send()
	}}
	failed := d.ask(ctx, r, answer)
	if err := send(); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return gone(ctx.Err())
	case answer.body.Len() > 0:
		return broken("the rows break off")
	}
	return nil
}
