package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	typed "connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/internal/testenv"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
)

// TestTypedCalls does by typed calls, in each protocol, all that there is to do with a file: it is loaded, watched, read, and dropped.
func TestTypedCalls(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	source := testenv.Files(t, map[string]string{"/numbers.csv": "n,word\n1,one\n2,two\n3,three\n"}) + "/numbers.csv"
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	overHTTP2 := &http.Transport{Protocols: protocols}
	t.Cleanup(overHTTP2.CloseIdleConnections)
	for table, by := range map[string]struct {
		client  *http.Client
		options []typed.ClientOption
	}{
		"by_connect":  {http.DefaultClient, []typed.ClientOption{typed.WithProtoJSON()}},
		"by_grpc":     {&http.Client{Transport: overHTTP2}, []typed.ClientOption{typed.WithGRPC()}},
		"by_grpc_web": {http.DefaultClient, []typed.ClientOption{typed.WithGRPCWeb()}},
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			ctx := testenv.Context(t)
			jobs := sluicev1connect.NewJobServiceClient(by.client, i.api, by.options...)
			results := sluicev1connect.NewResultServiceClient(by.client, i.api, by.options...)
			datasets := sluicev1connect.NewDatasetServiceClient(by.client, i.api, by.options...)

			created, err := jobs.CreateJob(ctx, &sluicev1.CreateJobRequest{
				File: &sluicev1.CreateJobRequest_Url{Url: source}, Table: table,
				Types: &sluicev1.Types{Others: sluicev1.OtherTypes_OTHER_TYPES_INFER},
			})
			if err != nil {
				t.Fatal(err)
			}
			id := created.GetJob().GetId()
			watched, err := jobs.WatchJob(ctx, &sluicev1.WatchJobRequest{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = watched.Close() }()
			var last *sluicev1.Event
			for watched.Receive() {
				if e := watched.Msg().GetEvent(); e != nil {
					last = e
				}
			}
			if watched.Err() != nil || last.GetType() != "succeeded" || last.GetJobId() != id {
				t.Fatalf("the stream ends with %v after %v", watched.Err(), last)
			}
			if ended, err := jobs.GetJob(ctx, &sluicev1.GetJobRequest{Id: id, Wait: durationpb.New(30 * time.Second)}); err != nil || ended.GetJob().GetState() != sluicev1.JobState_JOB_STATE_SUCCEEDED {
				t.Errorf("the job is %v (%v)", ended, err) // status may hear of the end after who watches
			}
			result, err := results.GetJobResult(ctx, &sluicev1.GetJobResultRequest{Id: id})
			if r := result.GetResult(); err != nil || r.GetTable() != table || r.GetRows() != 3 || r.GetOutcome() != sluicev1.Outcome_OUTCOME_LOADED {
				t.Errorf("the result is %v (%v)", result, err)
			}
			page, err := datasets.ListRows(ctx, &sluicev1.ListRowsRequest{Table: table, Filter: []string{"n:gt:1"}})
			if want := []string{`{"n":2,"word":"two"}`, `{"n":3,"word":"three"}`}; err != nil || !slices.Equal(page.GetRows(), want) {
				t.Errorf("the rows are %v (%v)", page, err)
			}

			if _, err := datasets.DeleteDataset(ctx, &sluicev1.DeleteDatasetRequest{Table: table}); err != nil {
				t.Errorf("it is not dropped: %v", err)
			}
			if _, err := datasets.GetDataset(ctx, &sluicev1.GetDatasetRequest{Table: table}); typed.CodeOf(err) != typed.CodeNotFound {
				t.Errorf("asked for what was dropped: %v", err)
			}
			if left := tables(t, i.connect(t)); slices.Contains(left, table) {
				t.Errorf("left are %v", left)
			}
		})
	}
}
