package api

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"sluice/internal/testenv"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
)

// dial connects as gRPC's own library does.
func (e *env) dial(t testing.TB) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(strings.TrimPrefix(e.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestGRPC calls as another library does.
func TestGRPC(t *testing.T) {
	e, _ := newLiveEnv(t)
	conn, ctx := e.dial(t), testenv.Context(t)
	var created, again sluicev1.CreateJobResponse
	keyed := metadata.AppendToOutgoingContext(ctx, "idempotency-key", "k")
	for _, answer := range []*sluicev1.CreateJobResponse{&created, &again} {
		if err := conn.Invoke(keyed, sluicev1connect.JobServiceCreateJobProcedure, byURL(exampleURL), answer); err != nil {
			t.Fatal(err)
		}
	}
	if id := created.GetJob().GetId(); id == "" || again.GetJob().GetId() != id {
		t.Errorf("created is %v, and with the same key %v", &created, &again)
	}
	err := conn.Invoke(ctx, sluicev1connect.JobServiceCreateJobProcedure, byURL("gopher://x"), &created)
	failure := status.Convert(err)
	var reason, field string
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = detail.GetReason()
		case *errdetails.BadRequest:
			field = detail.GetFieldViolations()[0].GetField()
		}
	}
	if failure.Code() != codes.InvalidArgument || reason != string(codeInvalidRequest) || field != "/url" {
		t.Errorf("failed with %v, reason %s, field %s", err, reason, field)
	}

	id, sequences := e.life(t)
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, sluicev1connect.JobServiceWatchJobProcedure)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(&sluicev1.WatchJobRequest{Id: id}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	var heard []uint64
	for {
		var m sluicev1.WatchJobResponse
		if err := stream.RecvMsg(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if m.GetEvent() != nil {
			heard = append(heard, uint64(m.GetSequence()))
		}
	}
	if !slices.Equal(heard, sequences) {
		t.Errorf("events %v are told, want %v", heard, sequences)
	}
}

func TestGRPCHealth(t *testing.T) {
	e, _ := newLiveEnv(t)
	ctx := testenv.Context(t)
	health := grpc_health_v1.NewHealthClient(e.dial(t))
	for _, service := range []string{"", sluicev1connect.JobServiceName, sluicev1connect.DatasetServiceName} {
		answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil || answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("%q is %v (%v)", service, answer, err)
		}
	}
	if _, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Errorf("a service that there is not: %v", err)
	}
	e.stopNATS(ctx, t)
	answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("without NATS it is %v (%v)", answer, err)
	}
}

// TestReflection holds that tools find out which calls there are.
func TestReflection(t *testing.T) {
	e, _ := newLiveEnv(t)
	stream := grpcreflect.NewClient(overHTTP2(t), e.url, connect.WithGRPC()).NewStream(testenv.Context(t))
	defer func() { _, _ = stream.Close() }()
	services, err := stream.ListServices()
	if err != nil || len(services) != 3 {
		t.Fatalf("services are %v (%v)", services, err)
	}
	for _, service := range services {
		files, err := stream.FileContainingSymbol(service)
		if err != nil || len(files) == 0 {
			t.Errorf("%s is in %v (%v)", service, files, err)
		}
	}
}

// TestUnknownCalls holds that what there is not is said to be so.
func TestUnknownCalls(t *testing.T) {
	e, _ := newLiveEnv(t)
	conn := e.dial(t)
	for _, procedure := range []string{"/sluice.v1.JobService/Explode", "/sluice.v2.JobService/GetJob"} {
		err := conn.Invoke(testenv.Context(t), procedure, &sluicev1.GetJobRequest{Id: uuid.NewString()}, &sluicev1.GetJobResponse{})
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s fails with %v", procedure, err)
		}
	}
}
