package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

func TestResume(t *testing.T) {
	e, _ := newLiveEnv(t)
	id, life := e.life(t)
	_, other := e.life(t)
	target := "/v1/jobs/" + id + "/events"
	end := other[len(other)-1]
	for last := range end + 3 {
		t.Run(fmt.Sprint("behind ", last), func(t *testing.T) {
			missing := slices.DeleteFunc(slices.Clone(life), func(s uint64) bool { return s <= last })
			switch {
			case last > end: // of a history that is no more
				missing = life
			case len(missing) == 0:
				if a := e.call(t, http.MethodGet, target, "", isStream, isLast+fmt.Sprint(last)); a.status != http.StatusNoContent {
					t.Errorf("answered %d %s", a.status, a.body)
				}
				return
			}
			w := e.watch(t, target, isLast+fmt.Sprint(last))
			w.expect(t, missing...)
			w.expectEnd(t)
		})
	}
	for last := range end + 1 {
		w := e.watch(t, "/v1/events", isLast+fmt.Sprint(last))
		for want := last + 1; want <= end; want++ {
			w.expect(t, want)
		}
		w.leave()
	}
	for _, headers := range [][]string{nil, {isLast + fmt.Sprint(end+9)}} { // both begin now
		w := e.watch(t, "/v1/events", headers...)
		if line, err := w.ReadString('\n'); err != nil || line != fmt.Sprintf("id: %d\n", end) {
			t.Errorf("begins with %q (%v), want the place at which it does", line, err)
		}
	}
	if a := e.call(t, http.MethodGet, target, "", isStream); a.status != http.StatusOK { // the whole of it is as documented
		t.Errorf("answered %d %s", a.status, a.body)
	}
}

func TestResumeRefuses(t *testing.T) {
	e, _ := newLiveEnv(t)
	job := e.create(t, example)
	for _, last := range []string{"x", "-1", "1.5", " ", "18446744073709551616", "9223372036854775808", "0x1", job.ID} {
		for _, target := range []string{"/v1/events", job.Links.Events} {
			p := refused(t, e.call(t, http.MethodGet, target, "", isStream, isLast+last), refusal.InvalidRequest)
			if p.Errors == nil || (*p.Errors)[0].Pointer != "Last-Event-ID" {
				t.Errorf("%q: the header is not named: %+v", last, p)
			}
		}
	}
}

// TestResumeWhileItGoesOn holds that an event is not missed which is stored, and passed on to those who listen, after the
// history has been read and before the client has been sent all of it.
func TestResumeWhileItGoesOn(t *testing.T) {
	e, r := newLiveEnv(t, func(e *env) { e.cramped = true })
	e.flood(t, 25)
	w := &watcher{Reader: bufio.NewReader(e.deaf(t, r, "/v1/events", isLast+"0"))}
	for line := ""; line != "id: 1\n"; { // the history has been read by then
		var err error
		if line, err = w.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	late := e.publish(t, uuid.NewString(), position(1), events.Queued{})
	testenv.Eventually(testenv.Context(t), t, "it is passed on", func() error {
		e.api.feed.mu.Lock()
		defer e.api.feed.mu.Unlock()
		if e.api.feed.last < late {
			return fmt.Errorf("passed on is %d", e.api.feed.last)
		}
		return nil
	})
	if err := e.listening(everyJob, 0); err != nil {
		t.Fatalf("it is too late to miss anything: %v", err)
	}
	later := e.publish(t, uuid.NewString(), position(1), events.Queued{})
	for want := uint64(2); want <= later; {
		line, err := w.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			if id != fmt.Sprintln(want) {
				t.Fatalf("event %s comes, want %d", id, want)
			}
			want++
		}
	}
}

// TestResumeAtRandom lets clients that come and go watch while much happens, and holds that of what matters each gets
// everything once and in order, and of progress nothing twice.
func TestResumeAtRandom(t *testing.T) {
	const jobs, attempts = 12, 10
	e, _ := newLiveEnv(t)
	ids := make([]string, jobs)
	for n := range ids {
		ids[n] = uuid.NewString()
		e.publish(t, ids[n], position(0), events.Created{})
	}
	var clients sync.WaitGroup
	got := make([]received, jobs+3)
	for n := range got {
		target, id := "/v1/events", ""
		if n < jobs {
			target, id = "/v1/jobs/"+ids[n]+"/events", ids[n]
		}
		clients.Go(func() { got[n] = e.receive(t, target, id, jobs) })
	}
	var workers sync.WaitGroup
	for _, id := range ids {
		workers.Go(func() {
			for n := range attempts {
				e.publish(t, id, position(10*n+1), events.Started{})
				for p := range rand.IntN(4) {
					e.publish(t, id, position(10*n+2+p), events.Progress{})
				}
			}
			e.publish(t, id, position(1000), events.Succeeded{})
		})
	}
	workers.Wait()
	clients.Wait()
	for n, r := range got {
		subject := events.EventSubjects
		if n < jobs {
			subject = events.JobEventSubjects(ids[n])
		}
		if r.err != nil {
			t.Errorf("client %d: %v", n, r.err)
		}
		if want := e.lifecycle(t, subject); !slices.Equal(r.lifecycle, want) {
			t.Errorf("client %d, which came %d times, got %d events, want %d", n, r.visits, len(r.lifecycle), len(want))
		}
	}
	t.Logf("the first client of all jobs came %d times and got %d events and %d of progress", got[jobs].visits, len(got[jobs].lifecycle), got[jobs].progress)
}

// received is what a client got.
type received struct {
	lifecycle        []uint64
	progress, visits int
	err              error
}

// receive reads a stream from the beginning of the history on, and leaves it every now and then, until the job has ended,
// or, without one, as many jobs as there are.
func (e *env) receive(t testing.TB, target, id string, jobs int) (r received) {
	last, ends := uint64(0), 0
	for {
		r.visits++
		w := e.watch(t, target, isLast+fmt.Sprint(last))
		for range 1 + rand.IntN(40) {
			event, err := w.read()
			if err != nil {
				r.err = err
				return r
			}
			if uint64(event.Sequence) <= last {
				r.err = fmt.Errorf("event %d came behind %d", event.Sequence, last)
				return r
			}
			last = uint64(event.Sequence)
			if event.Type == string(events.TypeProgress) {
				r.progress++
				continue
			}
			r.lifecycle = append(r.lifecycle, last)
			if events.Type(event.Type).Terminal() {
				if ends++; id != "" || ends == jobs {
					return r
				}
			}
		}
		w.leave()
	}
}

// lifecycle are the sequences of all that is stored but progress.
func (e *env) lifecycle(t testing.TB, subject string) (sequences []uint64) {
	t.Helper()
	for stored, err := range e.bus.Events.History(testenv.Context(t), subject, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if event, err := stored.Event(); err == nil && event.Type != events.TypeProgress {
			sequences = append(sequences, stored.Sequence)
		}
	}
	return sequences
}

// TestRestoredHistory holds that streams end when what they have told no longer exists, and begin anew.
func TestRestoredHistory(t *testing.T) {
	e, _ := newLiveEnv(t)
	id, life := e.life(t)
	w := e.watch(t, "/v1/events", isLast+"0")
	w.expect(t, life...)
	ctx := testenv.Context(t)
	e.removeStream(ctx, t, bus.EventsStream)
	if err := bus.Setup(ctx, e.bus.Conn, 1); err != nil {
		t.Fatal(err)
	}
	w.expectEnd(t)
	first := e.publish(t, id, position(1), events.Queued{})
	e.watch(t, "/v1/jobs/"+id+"/events", isLast+fmt.Sprint(life[5])).expect(t, first)
	again := e.watch(t, "/v1/events", isLast+fmt.Sprint(life[5]))
	again.expect(t, e.publish(t, id, position(2), events.Started{}))
}

func TestNoLiveEventsBeforeTheyBegin(t *testing.T) {
	e := newEnv(t) // which has no feed
	ctx, cancel := context.WithCancel(testenv.Context(t))
	cancel()
	_, _, err := e.api.feed.join(ctx, everyJob)
	if r, ok := errors.AsType[*refusal.Error](err); !ok || r.Code != refusal.QueueUnavailable {
		t.Errorf("answered %v", err)
	}
}
