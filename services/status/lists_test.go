package status

import (
	"fmt"
	"testing"
	"time"

	"sluice/pkg/events"
)

// filledIndex has 100,000 jobs of ten submitters: every thousandth has failed, and the others are queued, or have succeeded.
func filledIndex(b *testing.B, queued bool) *index {
	b.Helper()
	x := newIndex(func() time.Time { return noon })
	for n := range uint64(100_000) {
		spec := newSpec(events.Normal)
		spec.CreatedAt, spec.Submitter = noon.Add(time.Duration(n)*time.Second), fmt.Sprint("s", n%10)
		spec.Table, spec.Source.URL = fmt.Sprint("t", n%1000), fmt.Sprint("http://h/", n%1000)
		id, last := fmt.Sprintf("job-%06d", n), events.Payload(events.Succeeded{})
		switch {
		case n%1000 == 0:
			last = events.Failed{}
		case queued:
			last = events.Queued{Sequence: n + 1}
		}
		d := documentOf(events.New(id, events.Position{Run: 1}, noon, "test", events.Created{Spec: spec}), n+1)
		x.put(id, fold(d, events.New(id, events.Position{Run: 1, Claim: 1}, noon, "test", last), n+1))
	}
	return x
}

func BenchmarkLists(b *testing.B) {
	for name, queued := range map[string]bool{"queued": true, "ended": false} {
		x := filledIndex(b, queued)
		for what, ask := range map[string]func(){
			"a page":                 func() { x.list(events.List{}, 50) },
			"of a rare state":        func() { x.list(events.List{State: events.StateFailed}, 50) },
			"of no state":            func() { x.list(events.List{State: events.StateRunning}, 50) },
			"of a table":             func() { x.list(events.List{Filter: events.Filter{Table: "t7"}}, 50) },
			"totals":                 func() { x.count(events.Filter{}) },
			"totals of a table":      func() { x.count(events.Filter{Table: "t7"}) },
			"waiting":                func() { x.waiting("") },
			"waiting of a submitter": func() { x.waiting("s7") },
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				for b.Loop() {
					ask()
				}
			})
		}
	}
}
