package status

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/pkg/events"
)

const jobID = "019cad9d-77b8-7e92-b486-742b71270372"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// told is an event as it came from EVENTS.
type told struct {
	events.Event
	sequence uint64
}

// histories makes what may be told of one job: what can happen, and what cannot but must not divide the replicas.
func histories() *rapid.Generator[[]told] {
	return rapid.Custom(func(t *rapid.T) []told {
		list := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 10).Draw(t, "events")
		if twin := rapid.SampledFrom(list).Draw(t, "twin"); rapid.Bool().Draw(t, "with twin") { // differs by its content only
			twin.Data = payloads(rapid.Int64Range(0, 2).Draw(t, "content"))[twin.Type]
			list = append(list, twin)
		}
		history := make([]told, len(list))
		for i, e := range list {
			history[i] = told{e, uint64(rapid.IntRange(1, 12).Draw(t, "sequence"))}
		}
		return history
	})
}

func drawEvent(t *rapid.T) events.Event {
	number := func(name string, last int) int { return rapid.IntRange(0, last).Draw(t, name) }
	pos := events.Position{
		Run: 1 + number("run", 2), Claim: number("claim", 2), Attempt: number("attempt", 2), Seq: number("seq", 2),
	}
	by := rapid.SampledFrom([]string{"api", "status", "ingester/a", "ingester/b"}).Draw(t, "by")
	at := noon.Add(time.Duration(number("at", 2)) * time.Millisecond)
	kind := rapid.SampledFrom(events.Types()).Draw(t, "type")
	e := events.New(jobID, pos, at, by, payloads(rapid.Int64Range(0, 2).Draw(t, "content"))[kind])
	if rapid.Bool().Draw(t, "same id") {
		e.ID = "same"
	}
	return e
}

// payloads makes one of each type; those with different n differ.
func payloads(n int64) map[events.Type]events.Payload {
	spec := newSpec(events.Normal)
	spec.Table = []string{"", "a", "b"}[n]
	figures := events.Figures{Phase: events.PhaseLoading, Rows: n}
	made := map[events.Type]events.Payload{}
	for _, p := range []events.Payload{
		events.Created{Spec: spec},
		events.Redriven{},
		events.Queued{Sequence: uint64(n)},
		events.Started{Spec: spec, Worker: "a"},
		events.Progress{Figures: figures},
		events.Retrying{Failure: events.Failf(events.CodeSourceStalled, "%d", n), NextAttemptAt: noon, Figures: figures},
		events.CancelRequested{},
		events.Succeeded{Result: events.Result{Table: "t", Rows: n}, Figures: figures},
		events.Failed{Failure: *events.Failf(events.CodeNotCSV, "%d", n), Figures: figures},
		events.Cancelled{Figures: figures},
	} {
		made[p.Type()] = p
	}
	return made
}

// folded is the document of a history, in its order.
func folded(history []told) Document {
	var d Document
	for _, e := range history {
		d = fold(d, e.Event, e.sequence)
	}
	return d
}

func newSpec(p events.Priority) events.Spec {
	return events.Spec{
		Source: events.Source{URL: "http://example.org/a.csv"}, Schema: "public", Mode: events.Create, Priority: p,
		CreatedAt: noon,
	}
}

type failing interface {
	Helper()
	Fatal(args ...any)
}

// stored is how a document stands in the bucket.
func stored(t failing, d Document) string {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// reread is what another replica reads from the bucket.
func reread(t failing, d Document) Document {
	t.Helper()
	var again Document
	if err := json.Unmarshal([]byte(stored(t, d)), &again); err != nil {
		t.Fatal(err)
	}
	return again
}

var (
	_ failing = (*testing.T)(nil)
	_ failing = (*rapid.T)(nil)
)
