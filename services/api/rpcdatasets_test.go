package api

import (
	"fmt"
	"testing"

	"connectrpc.com/connect"

	"sluice/internal/testenv"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/services/api/refusal"
)

func TestDatasetCalls(t *testing.T) {
	e, _ := newLiveEnv(t)
	w := e.warehouse(t)
	const many = 5000
	w.Exec(`CREATE TABLE "a/b %2f" (id bigint PRIMARY KEY, fare numeric);
		INSERT INTO "a/b %2f" SELECT 9007199254740993 + n, 0.10 FROM generate_series(1, 5000) n`)
	job := w.Dataset("public", "a/b %2f", many)
	w.Exec(fmt.Sprintf(`INSERT INTO sluice.rejects SELECT '%s', 1, n, n * 10, nullif(n, 2), CASE WHEN n <> 2 THEN 'c' END, 'too_many_fields', 'it has 3', 'a,b,c'
		FROM generate_series(1, 3) n`, job))
	const first = `{"id":9007199254740994,"fare":0.10}`
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			ctx := testenv.Context(t)
			list, err := c.ListDatasets(ctx, &sluicev1.ListDatasetsRequest{Schema: "public"})
			if err != nil || len(list.GetDatasets()) != 1 || list.GetDatasets()[0].GetJobId() != job {
				t.Fatalf("the list is %v (%v)", list, err)
			}
			table := list.GetDatasets()[0].GetTable()
			got, err := c.GetDataset(ctx, &sluicev1.GetDatasetRequest{Table: table})
			if d := got.GetDataset(); err != nil || d.GetTable() != "a/b %2f" || !d.GetMadeBySluice() || d.GetMode() != sluicev1.Mode_MODE_CREATE ||
				len(d.GetColumns()) != 2 || d.GetColumns()[0].GetNullable() || d.GetLoadedAt().AsTime().IsZero() {
				t.Errorf("it is %v (%v)", got, err)
			}
			var rows []string
			for page := (&sluicev1.ListRowsRequest{Table: table, Limit: new(int64(2))}); len(rows) < 6; {
				answer, err := c.ListRows(ctx, page)
				if err != nil || answer.NextCursor == nil {
					t.Fatalf("the page is %v (%v)", answer, err)
				}
				rows, page.Cursor = append(rows, answer.GetRows()...), answer.GetNextCursor()
			}
			if len(rows) != 6 || rows[0] != first || rows[5] != `{"id":9007199254740999,"fare":0.10}` {
				t.Errorf("rows are %v", rows)
			}
			stream, err := c.ExportRows(ctx, &sluicev1.ExportRowsRequest{Table: table, Filter: []string{"id:gt:9007199254740993"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			exported := 0
			for stream.Receive() {
				if exported == 0 && stream.Msg().GetRows()[0] != first {
					t.Errorf("the first row is %s", stream.Msg().GetRows()[0])
				}
				exported += len(stream.Msg().GetRows())
			}
			if stream.Err() != nil || exported != many {
				t.Errorf("%d rows are exported, and then %v", exported, stream.Err())
			}
			rejects, err := c.ListRejects(ctx, &sluicev1.ListRejectsRequest{Id: job, Limit: new(int32(2))})
			if r := rejects.GetRejects(); err != nil || len(r) != 2 || r[0].GetColumn() != 1 || r[1].Column != nil || r[1].GetByteOffset() != 20 ||
				r[0].GetRaw() != "a,b,c" || rejects.NextCursor == nil {
				t.Errorf("rejected are %v (%v)", rejects, err)
			}

			_, err = c.GetDataset(ctx, &sluicev1.GetDatasetRequest{Table: "none"})
			failed(t, err, refusal.DatasetNotFound)
			_, err = c.ListRows(ctx, &sluicev1.ListRowsRequest{Table: table, Cursor: "x"})
			failed(t, err, refusal.InvalidRequest)
			_, err = c.DeleteDataset(ctx, &sluicev1.DeleteDatasetRequest{Table: table})
			failed(t, err, refusal.IngesterUnavailable)
			refused, err := c.ExportRows(ctx, &sluicev1.ExportRowsRequest{Table: table, Columns: "none"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = refused.Close() }()
			if refused.Receive() || connect.CodeOf(refused.Err()) != connect.CodeInvalidArgument {
				t.Errorf("exported is %v, and then %v", refused.Msg(), refused.Err())
			}
		})
	}
}
