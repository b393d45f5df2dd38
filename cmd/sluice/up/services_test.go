package up

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/seal"
	"sluice/services/api"
	"sluice/services/status"
)

// listening is a log that tells when something is said.
type listening struct {
	slog.Handler
	part string
	said chan struct{}
}

func (l *listening) Enabled(context.Context, slog.Level) bool { return true }

func (l *listening) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.part) {
		close(l.said)
	}
	return nil
}

// TestReadyOnceKeysAreRead holds that it is not said that all is ready while whoever has a key would be sent away.
func TestReadyOnceKeysAreRead(t *testing.T) {
	nats, ctx := testenv.StartNATS(t), testenv.Context(t)
	unread := &listening{slog.DiscardHandler, "the keys cannot be read", make(chan struct{})}
	apiConfig, statusConfig := api.DefaultConfig(), status.DefaultConfig()
	apiConfig.RequireKeys, apiConfig.Log, statusConfig.Log = true, slog.New(unread), testenv.Log(t)
	sealer, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	apiBus := nats.Bus("api")
	all := &services{api: api.New(apiConfig, apiBus, sealer), servers: &servers{}}
	if all.status, err = status.New(statusConfig, nats.Bus("status")); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(apiBus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(ctx, "KV_"+bus.KeysBucket); err != nil {
		t.Fatal(err)
	}
	if all.servers.api, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	group, running := errgroup.WithContext(running)
	all.run(running, group)
	defer func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	}()
	<-all.status.Ready()
	<-unread.said
	early, cancel := context.WithCancel(ctx)
	cancel()
	for range 20 { // which of two that are there is seen is left to chance
		if all.ready(early) {
			t.Fatal("it is ready without the keys")
		}
	}
	if err := bus.Setup(ctx, apiBus.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if !all.ready(ctx) {
		t.Error("it is never ready")
	}
}
