package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

func TestHistory(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	const jobs = 300 // more than is asked for at once, and of more bytes
	long := strings.Repeat("x", 10_000)
	var all, one []uint64
	for round := 1; round <= 2; round++ {
		for job := range jobs {
			e := events.New(fmt.Sprint("job-", job), events.Position{Run: round}, noon, "api", events.Failed{Failure: events.Failure{Message: long}})
			sequence, err := b.Events.Publish(ctx, e)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sequence)
			if job == 7 {
				one = append(one, sequence)
			}
		}
	}
	const everything = events.EventSubjects
	for name, tt := range map[string]struct {
		subject string
		from    uint64
		want    []uint64
	}{
		"everything":                {everything, 0, all},
		"from the first on":         {everything, 1, all},
		"from the middle on":        {everything, all[250], all[250:]},
		"the last":                  {everything, all[len(all)-1], all[len(all)-1:]},
		"behind the last":           {everything, all[len(all)-1] + 1, nil},
		"far behind":                {everything, 1 << 60, nil},
		"of one job":                {events.JobEventSubjects("job-7"), 1, one},
		"of one job, not the first": {events.JobEventSubjects("job-7"), one[0] + 1, one[1:]},
		"of no job":                 {events.JobEventSubjects("job-x"), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sequences(ctx, t, b, tt.subject, tt.from); !slices.Equal(got, tt.want) {
				t.Errorf("it has %d events, want %d: %v", len(got), len(tt.want), got)
			}
		})
	}
	if last, err := b.Events.LastSequence(ctx); err != nil || last != all[len(all)-1] {
		t.Errorf("the last sequence is %d (%v), want %d", last, err, all[len(all)-1])
	}
	for stored, err := range b.Events.History(ctx, everything, 1) { // who has enough may leave
		if e, decoded := stored.Event(); err != nil || decoded != nil || e.JobID != "job-0" {
			t.Errorf("the first is %+v (%v, %v)", e, err, decoded)
		}
		break
	}
}

func TestHistoryOfOtherWriters(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	js := openJetStream(t, b)
	for subject, data := range map[string][]byte{
		events.EventSubject(jobID, events.TypeFailed):    []byte(`{"v":9}`),
		events.EventSubject(jobID, events.TypeQueued):    nil,
		events.EventSubject("other", events.TypeCreated): encode(t, newEvent(events.Position{Run: 1}, events.Created{})),
	} {
		if _, err := js.Publish(ctx, subject, data); err != nil {
			t.Fatal(err)
		}
	}
	met := 0
	for stored, err := range b.Events.History(ctx, events.EventSubjects, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if e, err := stored.Event(); err == nil {
			t.Errorf("read as %+v", e)
		}
		met++
	}
	if met != 3 {
		t.Errorf("the history has %d events", met)
	}
}

func TestHistoryTellsThatItBreaksOff(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	if err := removeStream(bus.EventsStream)(ctx, openJetStream(t, b)); err != nil {
		t.Fatal(err)
	}
	if err := readAll(ctx, b); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("the history of a stream that is gone ends with %v", err)
	}
}

func sequences(ctx context.Context, t testing.TB, b *bus.Bus, subject string, from uint64) []uint64 {
	t.Helper()
	var list []uint64
	for stored, err := range b.Events.History(ctx, subject, from) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, stored.Sequence)
	}
	return list
}

func readAll(ctx context.Context, b *bus.Bus) error {
	for _, err := range b.Events.History(ctx, events.EventSubjects, 1) {
		if err != nil {
			return err
		}
	}
	return nil
}
