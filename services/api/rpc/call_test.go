package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
)

// serve runs a handler over a REST API that answers so, and returns where.
func serve(t testing.TB, answer *func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*answer)(w, r) })
	server := httptest.NewServer(New(rest, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	return server.URL
}

func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestDatasetCalls(t *testing.T) {
	var answer func(w http.ResponseWriter, r *http.Request)
	c := sluicev1connect.NewDatasetServiceClient(http.DefaultClient, serve(t, &answer))
	const dataset = `{"schema":"s","table":"a/b c","job_id":"j","mode":"append","loaded_at":"2026-03-02T12:00:00Z","made_by_sluice":true,
		"rows":9007199254740993,"bytes":1,"columns":[{"name":"n","type":"bigint","nullable":true}]}`
	want := &sluicev1.Dataset{}
	if err := fill(want.ProtoReflect(), []byte(dataset)); err != nil || want.GetRows() != 9007199254740993 {
		t.Fatal(want, err)
	}
	for name, tt := range map[string]struct {
		call    func() (proto.Message, error)
		request string
		answer  string
		want    proto.Message
	}{
		"list": {
			func() (proto.Message, error) {
				return c.ListDatasets(t.Context(), &sluicev1.ListDatasetsRequest{Schema: "s", Limit: new(int32(2)), Cursor: "c&d"})
			},
			"GET /v1/datasets?&cursor=c%26d&limit=2&schema=s", `{"datasets":[` + dataset + `],"next_cursor":"n"}`,
			&sluicev1.ListDatasetsResponse{Datasets: []*sluicev1.Dataset{want}, NextCursor: new("n")},
		},
		"get": {
			func() (proto.Message, error) {
				return c.GetDataset(t.Context(), &sluicev1.GetDatasetRequest{Table: "a/b c", Schema: "s"})
			},
			"GET /v1/datasets/a%2Fb%20c?&schema=s", dataset, &sluicev1.GetDatasetResponse{Dataset: want},
		},
		"delete": {
			func() (proto.Message, error) {
				return c.DeleteDataset(t.Context(), &sluicev1.DeleteDatasetRequest{Table: `";DROP`})
			},
			"DELETE /v1/datasets/%22%3BDROP?&", ``, &sluicev1.DeleteDatasetResponse{},
		},
		"rows": {
			func() (proto.Message, error) {
				return c.ListRows(t.Context(), &sluicev1.ListRowsRequest{Table: "t", Filter: []string{"a:eq:1", "b:is:null"}, Columns: `a,"b"`})
			},
			"GET /v1/datasets/t/rows?format=json&columns=a%2C%22b%22&filter=a%3Aeq%3A1&filter=b%3Ais%3Anull",
			`{"rows":[{"a":1,"b":null}, {"a":0.10}]}`, &sluicev1.ListRowsResponse{Rows: []string{`{"a":1,"b":null}`, `{"a":0.10}`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer = func(w http.ResponseWriter, r *http.Request) {
				if got := r.Method + " " + r.RequestURI; got != tt.request || r.URL.RequestURI() != r.RequestURI {
					t.Errorf("the request is %s, want %s", got, tt.request)
				}
				says(http.StatusOK, tt.answer)(w, r)
			}
			got, err := tt.call()
			if err != nil || !proto.Equal(got, tt.want) {
				t.Errorf("answered %v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

func TestExportRows(t *testing.T) {
	var answer func(w http.ResponseWriter, r *http.Request)
	c := sluicev1connect.NewDatasetServiceClient(http.DefaultClient, serve(t, &answer))
	row := `{"n":` + strings.Repeat("1", 100) + `}`
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		rows   int
		code   connect.Code
	}{
		"none":          {says(http.StatusOK, ""), 0, 0},
		"a few":         {says(http.StatusOK, strings.Repeat(row+"\n", 3)), 3, 0},
		"many":          {says(http.StatusOK, strings.Repeat(row+"\n", 10000)), 10000, 0},
		"byte by byte":  {func(w http.ResponseWriter, _ *http.Request) { drip(w, row+"\n"+row+"\n") }, 2, 0},
		"half a row":    {says(http.StatusOK, row+"\n"+row[:9]), 1, connect.CodeUnavailable},
		"refused":       {says(http.StatusNotFound, `{"status":404,"code":"dataset_not_found","detail":"x"}`), 0, connect.CodeNotFound},
		"broken off":    {func(w http.ResponseWriter, _ *http.Request) { drip(w, row+"\n"+row[:9]); panic(http.ErrAbortHandler) }, 1, connect.CodeUnavailable},
		"flushed early": {func(w http.ResponseWriter, r *http.Request) { flushed(w, row+"\n"); <-r.Context().Done() }, 1, connect.CodeDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			answer = func(w http.ResponseWriter, r *http.Request) {
				if r.RequestURI != "/v1/datasets/t/rows?format=ndjson&limit=5" {
					t.Errorf("the request is %s", r.RequestURI)
				}
				tt.answer(w, r)
			}
			ctx := t.Context()
			if tt.code == connect.CodeDeadlineExceeded {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Second/4)
				defer cancel()
			}
			stream, err := c.ExportRows(ctx, &sluicev1.ExportRowsRequest{Table: "t", Limit: new(int64(5))})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			rows := 0
			for stream.Receive() {
				for _, got := range stream.Msg().GetRows() {
					if rows++; got != row {
						t.Fatalf("row %d is %s", rows, got)
					}
				}
				if size := proto.Size(stream.Msg()); size > 2*exported {
					t.Errorf("a message has %d bytes", size)
				}
			}
			if rows != tt.rows || stream.Err() == nil && tt.code != 0 || stream.Err() != nil && connect.CodeOf(stream.Err()) != tt.code {
				t.Errorf("%d rows, and then %v; want %d and %s", rows, stream.Err(), tt.rows, tt.code)
			}
		})
	}
}

func drip(w io.Writer, text string) {
	for b := range strings.SplitSeq(text, "") {
		_, _ = io.WriteString(w, b)
	}
}

func flushed(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

// TestAnswersThatAreNone holds what becomes of what the REST API should not answer, and that nothing of it is told.
func TestAnswersThatAreNone(t *testing.T) {
	var log bytes.Buffer
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"no problem":      says(http.StatusInternalServerError, "secret"),
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"no JSON":         says(http.StatusOK, "secret"),
		"the wrong shape": says(http.StatusOK, `{"id":["secret"]}`),
		"a panic":         func(http.ResponseWriter, *http.Request) { panic("secret") },
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			server := httptest.NewServer(New(http.HandlerFunc(answer), slog.New(slog.NewTextHandler(&log, nil))))
			c := sluicev1connect.NewJobServiceClient(http.DefaultClient, server.URL)
			_, err := c.GetJob(t.Context(), &sluicev1.GetJobRequest{Id: "x"})
			server.Close()
			if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "secret") || log.Len() == 0 {
				t.Errorf("failed with %v, logged %s", err, &log)
			}
		})
	}
}

// TestRefusals holds what a call tells of a problem.
func TestRefusals(t *testing.T) {
	var answer func(w http.ResponseWriter, r *http.Request)
	c := sluicev1connect.NewJobServiceClient(http.DefaultClient, serve(t, &answer))
	answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("RateLimit", "r=0")
		says(http.StatusTooManyRequests, `{"status":429,"code":"too_many","title":"T","errors":[{"pointer":"/a","detail":"b"}]}`)(w, r)
	}
	_, err := c.GetJob(t.Context(), &sluicev1.GetJobRequest{Id: "x"})
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok || refused.Code() != connect.CodeResourceExhausted || refused.Message() != "T" || refused.Meta().Get("RateLimit") != "r=0" {
		t.Fatalf("failed with %v", err)
	}
	var told []string
	for _, detail := range refused.Details() {
		value, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		switch value := value.(type) {
		case *errdetails.ErrorInfo:
			told = append(told, value.GetDomain()+" "+value.GetReason())
		case *errdetails.BadRequest:
			told = append(told, value.GetFieldViolations()[0].GetField()+" "+value.GetFieldViolations()[0].GetDescription())
		case *errdetails.RetryInfo:
			told = append(told, fmt.Sprint(value.GetRetryDelay().AsDuration()))
		}
	}
	if want := []string{"sluice too_many", "/a b", "7s"}; !slices.Equal(told, want) {
		t.Errorf("told is %q, want %q", told, want)
	}
}

// TestWhoAsks holds which headers of a call its request has, and which of an answer come back.
func TestWhoAsks(t *testing.T) {
	var answer func(w http.ResponseWriter, r *http.Request)
	url := serve(t, &answer)
	c := sluicev1connect.NewJobServiceClient(http.DefaultClient, url)
	answer = func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Idempotency-Key", "Traceparent"} {
			if r.Header.Get(name) != name {
				t.Errorf("%s is %q", name, r.Header.Get(name))
			}
		}
		for _, name := range []string{"If-None-Match", "Accept-Encoding", "Content-Encoding", "Cookie", "Accept"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s is %q", name, r.Header.Get(name))
			}
		}
		if "http://"+r.Host != url || r.RemoteAddr == "" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("host %s, from %s, %v", r.Host, r.RemoteAddr, r.Header)
		}
		w.Header().Set("RateLimit-Policy", "q=1")
		says(http.StatusAccepted, `{"id":"x"}`)(w, r)
	}
	ctx, call := connect.NewClientContext(t.Context())
	for _, name := range []string{"Authorization", "Idempotency-Key", "Traceparent", "If-None-Match", "Cookie"} {
		call.RequestHeader().Set(name, name)
	}
	created, err := c.CreateJob(ctx, &sluicev1.CreateJobRequest{})
	if err != nil || created.GetJob().GetId() != "x" || call.ResponseHeader().Get("RateLimit-Policy") != "q=1" {
		t.Errorf("answered %v (%v), with %v", created, err, call.ResponseHeader())
	}
}
