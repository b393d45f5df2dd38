package api

import (
	"context"
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
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	sluicev1 "sluice/pkg/proto/sluice/v1"
	"sluice/pkg/proto/sluice/v1/sluicev1connect"
	"sluice/services/api/refusal"
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
	if failure.Code() != codes.InvalidArgument || reason != string(refusal.InvalidRequest) || field != "/url" {
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

// TestCallsAskForKeys goes through all calls, so that none can be made without a key that has its scope.
func TestCallsAskForKeys(t *testing.T) {
	e, _ := newLiveEnv(t, func(e *env) { e.api.config.RequireKeys = true })
	conn := e.dial(t)
	keys := map[apikey.Scope]string{}
	for _, scope := range apikey.Scopes() {
		_, header := e.newKey(t, apikey.Key{Name: string(scope), Scopes: []apikey.Scope{scope}, CreatedAt: noon})
		_, keys[scope], _ = strings.Cut(header, ": ")
	}
	calls := 0
	for _, file := range []protoreflect.FileDescriptor{
		sluicev1.File_sluice_v1_jobs_proto, sluicev1.File_sluice_v1_results_proto, sluicev1.File_sluice_v1_datasets_proto,
	} {
		methods := file.Services().Get(0).Methods()
		for i := range methods.Len() {
			method := methods.Get(i)
			calls++
			needed := apikey.Read
			switch name := string(method.Name()); {
			case strings.HasPrefix(name, "Delete"):
				needed = apikey.Admin
			case !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List") && !strings.HasPrefix(name, "Watch") && !strings.HasPrefix(name, "Export"):
				needed = apikey.Write
			}
			if err := invoke(t, conn, method, ""); status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s without a key fails with %v", method.Name(), err)
			}
			for scope, key := range keys {
				err := invoke(t, conn, method, key)
				if refused := status.Code(err) == codes.PermissionDenied; refused != (scope != needed) || status.Code(err) == codes.Unauthenticated {
					t.Errorf("%s, which needs %s, with a key for %s: %v", method.Name(), needed, scope, err)
				}
			}
		}
	}
	if calls != 14 {
		t.Errorf("there are %d calls", calls)
	}
	health := grpc_health_v1.NewHealthClient(conn)
	if _, err := health.Check(testenv.Context(t), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("health asks for a key: %v", err)
	}
}

// invoke makes a call about a job or a table that there is not, and waits for its first answer.
func invoke(t testing.TB, conn *grpc.ClientConn, method protoreflect.MethodDescriptor, key string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(testenv.Context(t))
	defer cancel()
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", key)
	}
	request := dynamicpb.NewMessage(method.Input())
	for name, value := range map[protoreflect.Name]string{"id": uuid.NewString(), "table": "no_such_table"} {
		if f := method.Input().Fields().ByName(name); f != nil {
			request.Set(f, protoreflect.ValueOfString(value))
		}
	}
	procedure := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: method.IsStreamingServer()}, procedure)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	return stream.RecvMsg(dynamicpb.NewMessage(method.Output()))
}
