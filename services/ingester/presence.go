package ingester

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/daemon"
	"sluice/pkg/events"
)

// maxToldJobs is how many jobs a worker says that it works on.
const maxToldJobs = 100

// present answers whoever asks which workers there are, until stop is called: also while this one hands its jobs over, which it
// does once ctx has ended. All workers are asked at once.
func (s *Service) present(ctx context.Context) (stop func(), err error) {
	conn, started := s.parts.Bus.Conn, time.Now().UTC().Truncate(time.Millisecond)
	service, err := micro.AddService(conn, micro.Config{
		Name: "worker", Version: "1.0.0", Description: "Tells what each ingester does", QueueGroupDisabled: true,
	})
	if err != nil {
		return nil, fmt.Errorf("registering the worker service: %w", err)
	}
	tell := func(r micro.Request) {
		data, err := json.Marshal(events.Worker{
			Name: s.config.Worker, Version: daemon.Version(), StartedAt: started, Slots: s.config.Slots,
			Draining: ctx.Err() != nil, Jobs: s.running.jobs(maxToldJobs),
		})
		if err == nil {
			err = r.Respond(data)
		}
		if err != nil {
			s.config.Log.Warn("answer not sent", "subject", r.Subject(), "err", err)
		}
	}
	err = service.AddEndpoint("workers", micro.HandlerFunc(tell), micro.WithEndpointSubject(events.SubjectIngesterWorkers))
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("registering %s: %w", events.SubjectIngesterWorkers, err), service.Stop())
	}
	return func() { _ = service.Stop() }, nil // it fails only with the connection
}
