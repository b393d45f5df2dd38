package deploy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestIngesterMayRepair holds that an ingester may do, on a server with streams, what reconciling and sweeping need: they
// come so seldom that a deployment which is only started does not show it.
func TestIngesterMayRepair(t *testing.T) {
	t.Parallel()
	s, ctx := startNATS(t), testenv.Context(t)
	if err := bus.Setup(ctx, s.connect(t, "setup"), 1); err != nil {
		t.Fatal(err)
	}
	const id = "019cad9d-77b8-7e92-b486-742b71270372"
	job := events.NewJob(id, 1, events.Spec{Priority: events.Urgent})
	api, ingester := s.bind(ctx, t, "api"), s.bind(ctx, t, "ingester")
	if _, err := api.Jobs.Publish(ctx, job); err != nil {
		t.Fatal(err)
	}
	for p, queued := range map[events.Priority]bool{events.Urgent: true, events.Normal: false} {
		if _, found, err := ingester.Jobs.Queued(ctx, p, id); err != nil || found != queued {
			t.Errorf("queued as %s: %t, %v", p, found, err)
		}
	}
	done, err := ingester.Registers.Replace(ctx, id, bus.Register{}, bus.Register{State: bus.Done, Run: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := ingester.Registers.Remove(ctx, id, done); err != nil {
		t.Error(err)
	}
	for _, data := range []events.Payload{events.Started{}, events.Succeeded{}, events.Failed{}, events.Cancelled{}} {
		if _, _, found, err := ingester.Events.Last(ctx, id, data.Type()); err != nil || found {
			t.Errorf("%s is told: %t, %v", data.Type(), found, err)
		}
		e := events.New(id, events.Position{Run: 1}, job.Spec.CreatedAt, "ingester", data)
		if _, err := ingester.Events.PublishMissing(ctx, e, 0); err != nil {
			t.Error(err)
		}
	}
	if log := s.said.String(); strings.Contains(log, violation) {
		t.Errorf("users were refused something:\n%s", log)
	}
}

// TestIngesterIsFound holds that an ingester answers whoever asks which services there are.
func TestIngesterIsFound(t *testing.T) {
	t.Parallel()
	s, ctx, database := startNATS(t), testenv.Context(t), testenv.Database(t)
	start := func(service, name string, args ...string) *process {
		return run(t, environment(t, service, map[string]string{
			"SLUICE_NATS_URL": s.url(t, service), "SLUICE_POSTGRES_URL": database, "SLUICE_OPS_ADDR": "127.0.0.1:0",
		}), program(t, name), args...)
	}
	if p := start("setup", "sluice", compose(t, nil).Services["setup"].Command...); p.wait(t) != 0 {
		t.Fatalf("the set-up failed: %s", p.said.String())
	}
	p := start("ingester", "ingester")
	nc, err := nats.Connect(s.url(t, "observer"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	subject, err := micro.ControlSubject(micro.InfoVerb, "ingester", "")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "the ingester answers", func() error {
		answer, err := nc.RequestWithContext(ctx, subject, nil)
		if err == nil && !strings.Contains(string(answer.Data), events.SubjectIngesterReport) {
			err = errors.New(string(answer.Data))
		}
		return err
	})
	if code := p.stop(t); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.said.String())
	}
	if log := s.said.String(); strings.Contains(log, violation) {
		t.Errorf("users were refused something:\n%s", log)
	}
}

func (s *server) connect(t testing.TB, user string) *nats.Conn {
	t.Helper()
	nc, err := bus.Connect(s.url(t, user), user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (s *server) bind(ctx context.Context, t testing.TB, user string) *bus.Bus {
	t.Helper()
	b, err := bus.Bind(ctx, s.connect(t, user))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
