package status

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// TestStartBeforeTheIngesters warns of a ledger that is not read only when that lasts: services start in any order.
func TestStartBeforeTheIngesters(t *testing.T) {
	t.Parallel()
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	var said strings.Builder
	config := DefaultConfig()
	config.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r := newReconciler(config, n.Bus("status"), newIndex(time.Now))
	read := func(complete, warned bool) {
		t.Helper()
		said.Reset()
		done, err := r.ledger(ctx)
		if err != nil || done.Complete != complete || (said.Len() > 0) != warned {
			t.Errorf("the ledger is read: %+v (%v), saying %q", done, err, said.String())
		}
	}
	read(false, false)
	read(false, true)
	playIngester(t, n.Bus("ingester"))
	read(true, false)
	if r.unheard.Load() {
		t.Error("the next time without an ingester would be taken for the second")
	}
}

// table answers for the ledger from a table, as ingesters do. Its pages are short.
type table struct {
	t   testing.TB
	bus *bus.Bus

	mu      sync.Mutex
	runs    map[string]events.LedgerRun
	ends    map[string]events.Payload
	told    int    // events that it has published
	refusal string // the error code that every report is answered with
}

// playIngester answers until the end of the test, or until it is stopped.
func playIngester(t testing.TB, b *bus.Bus, prepare ...func(*table)) *table {
	t.Helper()
	l := &table{t: t, bus: b, runs: map[string]events.LedgerRun{}, ends: map[string]events.Payload{}}
	for _, do := range prepare {
		do(l)
	}
	service, err := micro.AddService(b.Conn, micro.Config{Name: "ingester", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Stop() })
	for name, answer := range map[string]func(micro.Request) error{
		events.SubjectIngesterLedger: l.page, events.SubjectIngesterReport: l.report,
	} {
		handler := micro.HandlerFunc(func(r micro.Request) {
			if err := answer(r); err != nil {
				t.Errorf("%s: %v", r.Subject(), err)
			}
		})
		if err := service.AddEndpoint(name[len("svc.ingester."):], handler, micro.WithEndpointSubject(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return l
}

// know puts a run into the ledger, with its end or nil.
func (l *table) know(id string, run int, endedAt time.Time, end events.Payload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := events.StateRunning
	if end != nil {
		state = events.State(end.Type())
	}
	l.runs[id], l.ends[id] = events.LedgerRun{ID: id, Run: run, State: state, EndedAt: endedAt}, end
}

func (l *table) page(r micro.Request) error {
	var question events.Ledger
	if err := json.Unmarshal(r.Data(), &question); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var page events.LedgerPage
	for id, run := range l.runs {
		if id > question.After && run.State.Terminal() {
			page.Runs = append(page.Runs, run)
		}
	}
	slices.SortFunc(page.Runs, func(a, b events.LedgerRun) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	if limit := min(question.Limit, 2); len(page.Runs) > limit {
		page.Runs, page.More = page.Runs[:limit], true
	}
	return r.RespondJSON(page)
}

func (l *table) report(r micro.Request) error {
	var question events.Report
	if err := json.Unmarshal(r.Data(), &question); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusal != "" {
		return r.Error(l.refusal, "told to refuse", nil)
	}
	run, end, ctx := l.runs[question.ID], l.ends[question.ID], testenv.Context(l.t)
	if end != nil {
		for _, data := range []events.Payload{events.Started{Spec: jobSpec}, end} {
			last, _, found, err := l.bus.Events.Last(ctx, run.ID, data.Type())
			if err != nil {
				return r.Error("503", err.Error(), nil)
			}
			if found && last.Run == run.Run {
				continue
			}
			e := events.New(run.ID, events.Position{Run: run.Run, Claim: 1, Attempt: 1}, time.Now(), "test", data)
			publishPlainly(ctx, l.t, l.bus, e.Subject(), encoded(&e))
			l.told++
		}
	}
	return r.RespondJSON(run)
}

func (l *table) refuse(code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = code
}

func (l *table) expectTold(want int) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told != want {
		l.t.Errorf("the ingester has published %d events, want %d", l.told, want)
	}
}
