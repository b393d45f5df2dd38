package api

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
	"sluice/services/api/refusal"
	"sluice/services/api/rpc"
)

// caller makes typed calls by one protocol.
type caller struct {
	sluicev1connect.JobServiceClient
	sluicev1connect.ResultServiceClient
	sluicev1connect.DatasetServiceClient
}

// overHTTP2 is a client without TLS.
func overHTTP2(t testing.TB) *http.Client {
	t.Helper()
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// callers are callers by each protocol that the API speaks.
func (e *env) callers(t testing.TB) map[string]caller {
	t.Helper()
	all := map[string]caller{}
	for name, by := range map[string]struct {
		client  *http.Client
		options []connect.ClientOption
	}{
		"Connect with JSON":          {http.DefaultClient, []connect.ClientOption{connect.WithProtoJSON()}},
		"Connect with JSON, HTTP/2":  {overHTTP2(t), []connect.ClientOption{connect.WithProtoJSON()}},
		"Connect":                    {http.DefaultClient, []connect.ClientOption{connect.WithSendGzip()}},
		"gRPC":                       {overHTTP2(t), []connect.ClientOption{connect.WithGRPC()}},
		"gRPC with JSON":             {overHTTP2(t), []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
		"gRPC-Web":                   {http.DefaultClient, []connect.ClientOption{connect.WithGRPCWeb()}},
		"gRPC-Web over HTTP/2, JSON": {overHTTP2(t), []connect.ClientOption{connect.WithGRPCWeb(), connect.WithProtoJSON()}},
	} {
		all[name] = caller{
			sluicev1connect.NewJobServiceClient(by.client, e.url, by.options...),
			sluicev1connect.NewResultServiceClient(by.client, e.url, by.options...),
			sluicev1connect.NewDatasetServiceClient(by.client, e.url, by.options...),
		}
	}
	return all
}

// byURL is a request for a job with a file at an address.
func byURL(address string) *sluicev1.CreateJobRequest {
	return &sluicev1.CreateJobRequest{File: &sluicev1.CreateJobRequest_Url{Url: address}}
}

// failed checks that a call has failed so, and returns what it says about fields.
func failed(t testing.TB, err error, want refusal.Code) []*errdetails.BadRequest_FieldViolation {
	t.Helper()
	e, ok := err.(*connect.Error)
	if !ok {
		t.Fatalf("failed with %v", err)
	}
	var fields []*errdetails.BadRequest_FieldViolation
	reason := ""
	for _, detail := range e.Details() {
		value, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		switch value := value.(type) {
		case *errdetails.ErrorInfo:
			if reason = value.GetReason(); value.GetDomain() != rpc.Domain {
				t.Errorf("the domain is %s", value.GetDomain())
			}
		case *errdetails.BadRequest:
			fields = value.GetFieldViolations()
		}
	}
	if reason != string(want) || e.Code() != rpc.CodeOf(string(want), want.Status()) {
		t.Errorf("failed with %s, reason %q: %s; want %s", e.Code(), reason, e.Message(), want)
	}
	return fields
}

func TestCalls(t *testing.T) {
	e, _ := newLiveEnv(t)
	status := e.status
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			ctx := testenv.Context(t)
			wanted := byURL(exampleURL)
			wanted.Table, wanted.Priority = "trips", sluicev1.Priority_PRIORITY_URGENT
			wanted.Types = &sluicev1.Types{Columns: map[string]*sluicev1.ColumnType{"fare": {Type: "numeric(10,2)"}}}
			created, err := c.CreateJob(ctx, wanted)
			if err != nil {
				t.Fatal(err)
			}
			id := created.GetJob().GetId()
			if created.GetJob().GetState() != sluicev1.JobState_JOB_STATE_QUEUED || created.GetJob().GetTable() != "trips" ||
				created.GetJob().GetPriority() != sluicev1.Priority_PRIORITY_URGENT || created.GetJob().GetSource() != exampleURL {
				t.Errorf("created is %v", created)
			}
			for state, s := range lives(id) {
				status.tell(s)
				got, err := c.GetJob(ctx, &sluicev1.GetJobRequest{Id: id})
				if err != nil {
					t.Fatal(err)
				}
				want := "JOB_STATE_" + strings.ToUpper(state)
				if job := got.GetJob(); job.GetState().String() != want || job.GetProgress().GetBytes() != s.Figures.Bytes ||
					job.GetError().GetMessage() != "" != (s.Failure != nil) || (job.QueuePosition != nil) != (state == "queued") {
					t.Errorf("a job that is %s is %v", state, job)
				}
				if _, err := c.CancelJob(ctx, &sluicev1.CancelJobRequest{Id: id}); err != nil {
					t.Errorf("cancelling: %v", err)
				}
				if _, err := c.RetryJob(ctx, &sluicev1.RetryJobRequest{Id: id}); err != nil {
					t.Errorf("retrying: %v", err)
				}
				result, err := c.GetJobResult(ctx, &sluicev1.GetJobResultRequest{Id: id})
				switch {
				case s.State == events.StateSucceeded:
					if err != nil || result.GetResult().GetRows() != 9 || len(result.GetResult().GetColumns()) != 2 ||
						result.GetResult().GetDialect().GetLineEnd() != sluicev1.LineEnd_LINE_END_CRLF {
						t.Errorf("the result is %v (%v)", result, err)
					}
				case s.State.Terminal():
					failed(t, err, refusal.NoResult)
				default:
					failed(t, err, refusal.NotFinished)
				}
			}
			list, err := c.ListJobs(ctx, &sluicev1.ListJobsRequest{
				State: sluicev1.JobState_JOB_STATE_CANCELLED, Limit: new(int32(7)), Table: "a&b=c ü",
			})
			if asked := status.lastList(); err != nil || asked.State != events.StateCancelled || asked.Limit != 7 || asked.Table != "a&b=c ü" {
				t.Errorf("listed %v (%v), asked was %+v", list, err, asked)
			}
		})
	}
}

func TestCallsFail(t *testing.T) {
	e, _ := newLiveEnv(t)
	status := e.status
	for name, c := range e.callers(t) {
		t.Run(name, func(t *testing.T) {
			ctx := testenv.Context(t)
			bad := byURL("gopher://x")
			bad.Csv = &sluicev1.CSV{Quote: new("ab")}
			_, err := c.CreateJob(ctx, bad)
			var pointers []string
			for _, f := range failed(t, err, refusal.InvalidRequest) {
				pointers = append(pointers, f.GetField())
			}
			slices.Sort(pointers)
			if !slices.Contains(pointers, "/url") && !slices.Contains(pointers, "/csv/quote") {
				t.Errorf("the fields at fault are %v", pointers)
			}
			_, err = c.CreateJob(ctx, &sluicev1.CreateJobRequest{})
			failed(t, err, refusal.InvalidRequest)
			_, err = c.GetJob(ctx, &sluicev1.GetJobRequest{Id: "latest"})
			failed(t, err, refusal.JobNotFound)
			for _, id := range []string{"../jobs", "a/b", "%2e", "?limit=1", "\x00", strings.Repeat("a", 3000)} {
				_, err = c.GetJob(ctx, &sluicev1.GetJobRequest{Id: id})
				failed(t, err, refusal.JobNotFound)
			}
			_, err = c.GetJob(ctx, &sluicev1.GetJobRequest{})
			if fields := failed(t, err, refusal.InvalidRequest); len(fields) != 1 || fields[0].GetField() != "id" {
				t.Errorf("the fields at fault are %v", fields)
			}
			_, err = c.GetJob(ctx, &sluicev1.GetJobRequest{Id: "latest", Wait: durationpb.New(time.Millisecond)})
			failed(t, err, refusal.InvalidRequest)
			_, err = c.ListJobs(ctx, &sluicev1.ListJobsRequest{Limit: new(int32(0))})
			failed(t, err, refusal.InvalidRequest)
			_, err = c.ListJobs(ctx, &sluicev1.ListJobsRequest{State: 99})
			failed(t, err, refusal.InvalidRequest)
			_, err = c.CreateJob(ctx, byURL("http://a/"+strings.Repeat("a", 2<<20)))
			if connect.CodeOf(err) != connect.CodeResourceExhausted {
				t.Errorf("a large message fails with %v", err)
			}
			status.cancels(events.QueryFinished)
			defer status.cancels("")
			_, err = c.CancelJob(ctx, &sluicev1.CancelJobRequest{Id: "01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e"})
			failed(t, err, refusal.AlreadyFinished)
		})
	}
}

// TestCallsWithKey holds that the header of a call is that of the request.
func TestCallsWithKey(t *testing.T) {
	e, _ := newLiveEnv(t)
	ids := map[string]bool{}
	for _, c := range e.callers(t) {
		ctx, call := connect.NewClientContext(testenv.Context(t))
		call.RequestHeader().Set("Idempotency-Key", "the same")
		created, err := c.CreateJob(ctx, byURL(exampleURL))
		if err != nil {
			t.Fatal(err)
		}
		ids[created.GetJob().GetId()] = true
		ctx, call = connect.NewClientContext(testenv.Context(t))
		call.RequestHeader().Set("Idempotency-Key", "the same")
		_, err = c.CreateJob(ctx, byURL("http://localhost/other"))
		failed(t, err, refusal.IdempotencyConflict)
	}
	if len(ids) != 1 {
		t.Errorf("the key stands for %d jobs", len(ids))
	}
	e.expectStored(t, 1)
}

// TestCodesOfCalls holds that every problem has a code of calls that says as much.
func TestCodesOfCalls(t *testing.T) {
	want := map[refusal.Code]connect.Code{
		refusal.InvalidRequest: connect.CodeInvalidArgument, refusal.CrossOrigin: connect.CodePermissionDenied,
		refusal.BodyTooLarge: connect.CodeResourceExhausted, refusal.NotFound: connect.CodeNotFound, refusal.JobNotFound: connect.CodeNotFound,
		refusal.MethodNotAllowed: connect.CodeUnimplemented, refusal.NotFinished: connect.CodeFailedPrecondition,
		refusal.NoResult: connect.CodeFailedPrecondition, refusal.AlreadyFinished: connect.CodeFailedPrecondition,
		refusal.NotRetryable: connect.CodeFailedPrecondition, refusal.IdempotencyConflict: connect.CodeAlreadyExists,
		refusal.SecretKeyMissing: connect.CodeFailedPrecondition, refusal.UploadNotFound: connect.CodeFailedPrecondition,
		refusal.StatusUnavailable: connect.CodeUnavailable, refusal.QueueUnavailable: connect.CodeUnavailable, refusal.Internal: connect.CodeInternal,
	}
	for _, c := range refusal.Codes() {
		got := rpc.CodeOf(string(c), c.Status())
		if stated, ok := want[c]; ok && got != stated {
			t.Errorf("%s is %s, want %s", c, got, stated)
		}
		ours := got == connect.CodeInternal || got == connect.CodeUnavailable || got == connect.CodeUnknown
		if ours != (c.Status() >= http.StatusInternalServerError) {
			t.Errorf("%s, with status %d, is %s", c, c.Status(), got)
		}
	}
}

func TestBadCalls(t *testing.T) {
	e, _ := newLiveEnv(t)
	const procedure = sluicev1connect.JobServiceCreateJobProcedure
	for name, tt := range map[string]struct {
		body   string
		header string
		status int
		want   string
	}{
		"an unknown field": {`{"url":"http://a/b","tabel":"t"}`, isJSON, 400, "invalid_argument"},
		"a wrong type":     {`{"url":1}`, isJSON, 400, "invalid_argument"},
		"a wrong word":     {`{"url":"http://a/b","mode":"create"}`, isJSON, 400, "invalid_argument"},
		"both files":       {`{"url":"http://a/b","upload":"upload:x"}`, isJSON, 400, "invalid_argument"},
		"deep":             {strings.Repeat(`{"csv":`, 10000), isJSON, 400, "invalid_argument"},
		"deep arrays":      {`{"key":` + strings.Repeat("[", 100000), isJSON, 400, "invalid_argument"},
		"empty":            {``, isJSON, 400, "invalid_argument"},
		"no UTF-8":         {"{\"url\":\"http://a/\xff\"}", isJSON, 400, "invalid_argument"},
		"10 MB":            {`{"url":"` + strings.Repeat("a", 10<<20) + `"}`, isJSON, 429, "resource_exhausted"},
		"no Protobuf":      {"\xff\xff\xff", "Content-Type: application/proto", 400, "invalid_argument"},
		"a form":           {"url=x", isForm, 415, ""},
		"no file":          {`{}`, isJSON, 400, "invalid_argument"},
	} {
		t.Run(name, func(t *testing.T) {
			a := e.plain(t, procedure, tt.body, tt.header)
			if a.status != tt.status || !strings.Contains(string(a.body), tt.want) || strings.Contains(string(a.body), "sluicev1") {
				t.Errorf("answered %d %.300s", a.status, a.body)
			}
		})
	}
	e.expectStored(t, 0)
}

// plain posts what is no call's of a client, and takes whatever comes.
func (e *env) plain(t testing.TB, path, body string, headers ...string) answer {
	t.Helper()
	return e.exchange(t, http.MethodPost, path, strings.NewReader(body), headers...)
}

func TestCallsFromElsewhere(t *testing.T) {
	e, _ := newLiveEnv(t)
	for _, procedure := range []string{
		sluicev1connect.JobServiceCreateJobProcedure, sluicev1connect.JobServiceListJobsProcedure, "/grpc.health.v1.Health/Check",
	} {
		for _, header := range []string{"Origin: https://example.org", "Sec-Fetch-Site: cross-site", "Host: example.org"} {
			refused(t, e.plain(t, procedure, example, isJSON, header), refusal.CrossOrigin)
		}
		for _, media := range []string{"application/grpc-web+proto", "application/grpc-web-text"} {
			refused(t, e.plain(t, procedure, "\x00\x00\x00\x00\x00", "Content-Type: "+media, "Origin: https://example.org"), refusal.CrossOrigin)
		}
	}
	e.expectStored(t, 0)
}

// TestCallsInDocs makes the calls that docs/rpc.md shows for curl.
func TestCallsInDocs(t *testing.T) {
	e, _ := newLiveEnv(t)
	e.warehouse(t)
	page, err := os.ReadFile("../../docs/rpc.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?s)curl localhost:3000(/\S+) -H '([^']+)'.*?-d '([^']*)'`).FindAllSubmatch(page, -1)
	if len(commands) != 3 {
		t.Fatalf("there are %d commands", len(commands))
	}
	for _, c := range commands {
		if a := e.plain(t, string(c[1]), string(c[3]), string(c[2])); a.status != http.StatusOK {
			t.Errorf("%s answers %d %s", c[0], a.status, a.body)
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+/\\w+)` \\| (?:`([A-Z]+) (/\\S+)`|the same)").FindAllStringSubmatch(string(page), -1)
	if len(rows) != 14 {
		t.Errorf("the table has %d calls", len(rows))
	}
	for _, row := range rows {
		if _, pointer := described().Object("paths", row[3], strings.ToLower(row[2])); row[3] != "" && pointer == "" {
			t.Errorf("%s is said to be %s %s", row[1], row[2], row[3])
		}
		if a := e.plain(t, "/sluice.v1."+row[1], "", isJSON); a.status == http.StatusNotFound {
			t.Errorf("%s is no call", row[1])
		}
	}
}

// TestCallInTime holds that a caller's time is kept.
func TestCallInTime(t *testing.T) {
	e, _ := newLiveEnv(t)
	id := e.create(t, example).ID
	for name, c := range e.callers(t) {
		ctx, cancel := context.WithTimeout(testenv.Context(t), 100*time.Millisecond)
		_, err := c.GetJob(ctx, &sluicev1.GetJobRequest{Id: id, Wait: durationpb.New(time.Minute)})
		cancel()
		if connect.CodeOf(err) != connect.CodeDeadlineExceeded {
			t.Errorf("%s: failed with %v", name, err)
		}
	}
}
