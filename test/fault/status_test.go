package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// replayed stores all events again, in any order and some of them twice, while jobs are loaded. The status stays what it was.
func replayed(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	ended := s.loadMany(10)
	for _, a := range ended {
		s.awaitState(a.id, "succeeded")
	}
	before := s.states(ended)
	from := serve(t, makeFile(random, 2<<20), true)
	gate := from.addGate(random.IntN(len(from.content)))
	s.submit(from, "meanwhile", nil)
	s.reach(gate)
	stored := s.stored()
	again := slices.Concat(stored, stored[:len(stored)/2])
	random.Shuffle(len(again), func(i, k int) { again[i], again[k] = again[k], again[i] })
	js, err := jetstream.New(s.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range again {
		if _, err := js.PublishMsg(s.ctx, &nats.Msg{Subject: m.Subject, Data: m.Data}); err != nil { // without the ids that tell of a repetition
			t.Fatal(err)
		}
	}
	gate.release()
	s.check()
	if after := s.states(ended); after != before {
		t.Errorf("the jobs were\n%s\nand are\n%s", before, after)
	}
}

// forgotten takes the bucket of documents away, and in between the end of a job from the history as well.
func forgotten(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	ended := s.loadMany(10)
	for _, a := range ended {
		s.awaitState(a.id, "succeeded")
	}
	from := serve(t, makeFile(random, 2<<20), true)
	gate := from.addGate(random.IntN(len(from.content)))
	running := s.submit(from, "meanwhile", nil)
	s.reach(gate)
	js, err := jetstream.New(s.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	s.status.kill()
	if err := js.DeleteKeyValue(s.ctx, bus.DocumentsBucket); err != nil {
		t.Fatal(err)
	}
	s.setUp()
	history, err := js.Stream(s.ctx, bus.EventsStream)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range ended[:5] {
		if err := history.Purge(s.ctx, jetstream.WithPurgeSubject(events.EventSubject(a.id, events.TypeSucceeded))); err != nil {
			t.Fatal(err)
		}
	}
	s.startStatus()
	gate.release()
	testenv.Eventually(s.ctx, t, "all jobs are known again", func() error {
		var unknown error
		for _, a := range append(ended, running) {
			j, err := s.get(a.id)
			if err == nil && j.State != "succeeded" {
				err = fmt.Errorf("it is %s", j.State)
			}
			if err != nil {
				unknown = errors.Join(unknown, fmt.Errorf("job %s: %w", a.id, err))
			}
		}
		return unknown
	})
	s.check()
}

// states is what the API tells of jobs.
func (s *system) states(jobs []*accepted) string {
	s.t.Helper()
	all := ""
	for _, a := range jobs {
		answered, err := s.call("GET", "/v1/jobs/"+a.id, "")
		if err != nil || answered.status != 200 {
			s.t.Fatalf("reading job %s: %d %s (%v)", a.id, answered.status, answered.body, err)
		}
		all += string(answered.body)
	}
	return all
}

// stored are the events as they lie in the history.
func (s *system) stored() []*nats.Msg {
	s.t.Helper()
	var all []*nats.Msg
	for m, err := range s.bus.Events.All(s.ctx) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, &nats.Msg{Subject: m.Subject(), Data: m.Data()})
	}
	return all
}
