package bus_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestSetupTwiceAtOnce(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	var group sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		nc := n.Connect("setup")
		group.Go(func() { errs[i] = errors.Join(bus.Setup(ctx, nc, 1), bus.Setup(ctx, nc, 1)) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Bind(ctx, n.Connect("api")); err != nil {
		t.Fatal(err)
	}
}

func TestSetupKeepsWhatIsStored(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	sequence := publishJob(ctx, t, b, newJob(1))
	if err := bus.Setup(ctx, b.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if again := publishJob(ctx, t, b, newJob(1)); again != sequence {
		t.Errorf("the job is at %d after another set-up, was at %d", again, sequence)
	}
}

func TestSetupRepairsSettings(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("setup")
	js := openJetStream(t, b)
	consumer, err := js.Consumer(ctx, bus.JobsStream, "normal")
	if err != nil {
		t.Fatal(err)
	}
	config := consumer.CachedInfo().Config
	config.MaxDeliver = 3
	if _, err := js.UpdateConsumer(ctx, bus.JobsStream, config); err != nil {
		t.Fatal(err)
	}
	if err := bus.Setup(ctx, b.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if consumer, err = js.Consumer(ctx, bus.JobsStream, "normal"); err != nil {
		t.Fatal(err)
	}
	if got := consumer.CachedInfo().Config.MaxDeliver; got != -1 {
		t.Errorf("MaxDeliver is %d after the set-up", got)
	}
}

func TestStreamSettings(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	js := openJetStream(t, n.Bus("setup"))
	tests := []jetstream.StreamConfig{
		{
			Name: "JOBS", Subjects: []string{"jobs.*.*"}, Retention: jetstream.WorkQueuePolicy,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1, Duplicates: 24 * time.Hour,
		},
		{
			Name: "EVENTS", Subjects: []string{"events.*.*"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardOld, MaxMsgsPerSubject: 16, Duplicates: 2 * time.Minute, MaxAge: 30 * 24 * time.Hour,
		},
		{
			Name: "KV_jobs", Subjects: []string{"$KV.jobs.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, Duplicates: 2 * time.Minute,
			DenyDelete: true, AllowRollup: true, AllowMsgTTL: true, SubjectDeleteMarkerTTL: time.Hour,
		},
		{
			Name: "KV_control", Subjects: []string{"$KV.control.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, Duplicates: 2 * time.Minute,
			DenyDelete: true, AllowRollup: true, AllowMsgTTL: true, SubjectDeleteMarkerTTL: time.Hour,
		},
		{
			Name: "KV_keys", Subjects: []string{"$KV.keys.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, Duplicates: 2 * time.Minute,
			DenyDelete: true, AllowRollup: true, AllowMsgTTL: true, SubjectDeleteMarkerTTL: time.Hour,
		},
		{
			Name: "OBJ_uploads", Subjects: []string{"$O.uploads.C.>", "$O.uploads.M.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: -1, Duplicates: 2 * time.Minute, AllowRollup: true,
		},
	}
	for _, want := range tests {
		t.Run(want.Name, func(t *testing.T) {
			want.Storage, want.Replicas, want.AllowDirect = jetstream.FileStorage, 1, true
			want.MaxMsgs, want.MaxBytes, want.MaxConsumers, want.MaxMsgSize = -1, -1, -1, -1
			stream, err := js.Stream(ctx, want.Name)
			if err != nil {
				t.Fatal(err)
			}
			got := stream.CachedInfo().Config
			got.Description, got.Metadata = "", nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("settings are\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestConsumerSettings(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	js := openJetStream(t, n.Bus("setup"))
	tests := []struct {
		stream string
		want   jetstream.ConsumerConfig
	}{
		{"EVENTS", jetstream.ConsumerConfig{Durable: "fold", MaxAckPending: 2048}},
		{"JOBS", jetstream.ConsumerConfig{Durable: "urgent", FilterSubject: "jobs.urgent.*", MaxAckPending: 10000}},
		{"JOBS", jetstream.ConsumerConfig{Durable: "normal", FilterSubject: "jobs.normal.*", MaxAckPending: 10000}},
	}
	for _, tt := range tests {
		t.Run(tt.want.Durable, func(t *testing.T) {
			tt.want.Name, tt.want.AckPolicy = tt.want.Durable, jetstream.AckExplicitPolicy
			tt.want.AckWait, tt.want.MaxDeliver, tt.want.MaxWaiting = 10*time.Second, -1, 512
			consumer, err := js.Consumer(ctx, tt.stream, tt.want.Durable)
			if err != nil {
				t.Fatal(err)
			}
			got := consumer.CachedInfo().Config
			got.Description, got.Metadata = "", nil
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("settings are\n%+v\nwant\n%+v", got, tt.want)
			}
		})
	}
}

func TestBindNamesWhatIsMissing(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	if _, err := bus.Bind(ctx, n.Connect("api")); !errors.Is(err, bus.ErrNotSetUp) {
		t.Fatalf("binding to an empty server: %v", err)
	}
	tests := []struct {
		asset  string
		remove func(context.Context, jetstream.JetStream) error
		bind   func(context.Context, *bus.Bus) error
	}{
		{"stream JOBS", removeStream("JOBS"), rebind},
		{"stream EVENTS", removeStream("EVENTS"), rebind},
		{"bucket jobs", removeStream("KV_jobs"), rebind},
		{"bucket control", removeStream("KV_control"), rebind},
		{"bucket uploads", removeStream("OBJ_uploads"), rebind},
		{"consumer fold", removeConsumer("EVENTS", "fold"), func(ctx context.Context, b *bus.Bus) error {
			_, err := b.Events.FoldConsumer(ctx)
			return err
		}},
		{"consumer urgent", removeConsumer("JOBS", "urgent"), func(ctx context.Context, b *bus.Bus) error {
			_, err := b.Jobs.Lane(ctx, "urgent")
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.asset, func(t *testing.T) {
			b := n.Bus("api")
			if err := tt.bind(ctx, b); err != nil {
				t.Fatalf("before it is removed: %v", err)
			}
			if err := tt.remove(ctx, openJetStream(t, b)); err != nil {
				t.Fatal(err)
			}
			err := tt.bind(ctx, b)
			if !errors.Is(err, bus.ErrNotSetUp) || !strings.Contains(err.Error(), tt.asset) {
				t.Errorf("error %v, want one that names %s", err, tt.asset)
			}
		})
	}
}

func rebind(ctx context.Context, b *bus.Bus) error {
	_, err := bus.Bind(ctx, b.Conn)
	return err
}

func removeStream(name string) func(context.Context, jetstream.JetStream) error {
	return func(ctx context.Context, js jetstream.JetStream) error { return js.DeleteStream(ctx, name) }
}

func removeConsumer(stream, name string) func(context.Context, jetstream.JetStream) error {
	return func(ctx context.Context, js jetstream.JetStream) error { return js.DeleteConsumer(ctx, stream, name) }
}

func openJetStream(t testing.TB, b *bus.Bus) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(b.Conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}
