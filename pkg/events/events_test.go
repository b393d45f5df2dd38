package events_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/pkg/events"
)

const jobID = "019cad9d-77b8-7e92-b486-742b71270372"

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name, data string
		is         error  // nil: any
		says       string // part of the message
	}{
		{"later version", `{"v":2,"job_id":"j","type":"queued","run":1,"data":{}}`, events.ErrVersion, "2"},
		{"later version of a later type", `{"v":2,"job_id":"j","type":"paused","run":1}`, events.ErrVersion, "2"},
		{"later version with other fields", `{"v":2,"job_id":7,"run":"one"}`, events.ErrVersion, "2"},
		{"no version", `{"job_id":"j","type":"queued","run":1,"data":{}}`, nil, "version missing"},
		{"null", `null`, nil, "version missing"},
		{"unknown type", `{"v":1,"job_id":"j","type":"paused","run":1,"data":{}}`, events.ErrUnknownType, `"paused"`},
		{"no type", `{"v":1,"job_id":"j","run":1,"data":{}}`, events.ErrUnknownType, `""`},
		{"no job id", `{"v":1,"type":"queued","run":1,"data":{}}`, nil, "job_id"},
		{"no run", `{"v":1,"job_id":"j","type":"queued","data":{}}`, nil, "run"},
		{"run 0", `{"v":1,"job_id":"j","type":"queued","run":0,"data":{}}`, nil, "run"},
		{"negative run", `{"v":1,"job_id":"j","type":"queued","run":-1,"data":{}}`, nil, "run"},
		{"run not a number", `{"v":1,"job_id":"j","type":"queued","run":"1","data":{}}`, nil, "run"},
		{"no data", `{"v":1,"job_id":"j","type":"queued","run":1}`, nil, `"queued"`},
		{"data of another shape", `{"v":1,"job_id":"j","type":"queued","run":1,"data":[]}`, nil, `"queued"`},
		{"field of another shape", `{"v":1,"job_id":"j","type":"queued","run":1,"data":{"sequence":"x"}}`, nil, "sequence"},
		{"time of another shape", `{"v":1,"job_id":"j","type":"queued","run":1,"at":"today","data":{}}`, nil, "today"},
		{"nothing", ``, nil, "decoding an event"},
		{"half", `{"v":1,"job_id":"j",`, nil, "decoding an event"},
		{"more than one", `{} {}`, nil, "decoding an event"},
		{"a list", `[]`, nil, "decoding an event"},
		{"a word", `"created"`, nil, "decoding an event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := events.Decode([]byte(tt.data))
			if err == nil {
				t.Fatalf("decoded to %+v", e)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %q is not %q", err, tt.is)
			}
			if tt.is == nil && errors.Is(err, events.ErrVersion) {
				t.Errorf("error %q blames a later version", err)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
			if e.V != 0 || e.JobID != "" || e.Data != nil {
				t.Errorf("returned %+v beside the error", e)
			}
		})
	}
}

func TestDecodeTolerates(t *testing.T) {
	data := `{"v":1,"id":"i","job_id":"j","type":"queued","run":1,"mood":"good","data":{"sequence":7,"lane":"urgent"}}`
	e, err := events.Decode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if e.Data != (events.Queued{Sequence: 7}) {
		t.Errorf("data is %+v", e.Data)
	}
}

func TestEventIDs(t *testing.T) {
	first := events.Position{Run: 2, Claim: 3, Attempt: 1, Seq: 4}
	second := events.Position{Run: 2, Claim: 5, Attempt: 2, Seq: 6}
	next := events.Position{Run: 3, Claim: 3, Attempt: 1, Seq: 4}
	now := time.Now()
	for name, full := range payloads(t) {
		id := func(pos events.Position) string { return events.New(jobID, pos, now, "api", full).ID }
		kind := full.Type()
		want := jobID + ".2.3.4." + string(kind)
		if kind.Terminal() {
			want = jobID + ".2." + string(kind)
		}
		if got := id(first); got != want {
			t.Errorf("%s: the id is %q, want %q", name, got, want)
		}
		if same := id(first) == id(second); same != kind.Terminal() {
			t.Errorf("%s: same id from another claim: %t", name, same)
		}
		if id(first) == id(next) {
			t.Errorf("%s: same id in another run", name)
		}
		other := events.New(jobID, first, now.Add(time.Hour), "status", full)
		if other.ID != want {
			t.Errorf("%s: the id depends on who tells it and when: %q", name, other.ID)
		}
	}
}

func TestNewTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 15, 4, 120_999_999, time.FixedZone("CET", 3600))
	e := events.New(jobID, events.Position{Run: 1}, at, "api", events.Redriven{})
	want := time.Date(2026, 3, 2, 8, 15, 4, 120_000_000, time.UTC)
	if !e.At.Equal(want) || e.At.Location() != time.UTC {
		t.Errorf("at is %s, want %s", e.At, want)
	}
}

func TestSubjects(t *testing.T) {
	job := events.NewJob("j", 1, events.Spec{Priority: events.Urgent})
	e := events.New("j", events.Position{Run: 1}, time.Now(), "api", events.CancelRequested{})
	tests := []struct{ name, got, want string }{
		{"job", events.JobSubject(events.Normal, "j"), "jobs.normal.j"},
		{"job's lane", events.JobSubject(job.Spec.Priority, job.ID), "jobs.urgent.j"},
		{"lane", events.LaneSubjects(events.Urgent), "jobs.urgent.*"},
		{"event", events.EventSubject("j", events.TypeCreated), "events.j.created"},
		{"event's own", e.Subject(), "events.j.cancel_requested"},
		{"events of a job", events.JobEventSubjects("j"), "events.j.*"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestDecodeJobRefuses(t *testing.T) {
	tests := []struct {
		name, data string
		is         error
	}{
		{"later version", `{"v":2,"id":"j","run":1}`, events.ErrVersion},
		{"later version with other fields", `{"v":2,"id":7,"run":"one"}`, events.ErrVersion},
		{"no version", `{"id":"j","run":1}`, nil},
		{"null", `null`, nil},
		{"no id", `{"v":1,"run":1}`, nil},
		{"no run", `{"v":1,"id":"j"}`, nil},
		{"run 0", `{"v":1,"id":"j","run":0}`, nil},
		{"half", `{"v":1,`, nil},
		{"nothing", ``, nil},
		{"another shape", `{"v":1,"id":"j","run":1,"spec":[]}`, nil},
		{"impossible limit of bad rows", `{"v":1,"id":"j","run":1,"spec":{"max_bad_rows":"101%"}}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			job, err := events.DecodeJob([]byte(tt.data))
			if err == nil || errors.Is(err, events.ErrVersion) != (tt.is != nil) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
			if job.V != 0 || job.ID != "" {
				t.Errorf("returned %+v beside the error", job)
			}
		})
	}
}

func TestMessageID(t *testing.T) {
	first, second := events.NewJob(jobID, 1, events.Spec{}), events.NewJob(jobID, 2, events.Spec{})
	if got := first.MessageID(); got != jobID+".1" {
		t.Errorf("message id %q", got)
	}
	if first.MessageID() == second.MessageID() {
		t.Error("two runs have the same message id")
	}
}

func TestStates(t *testing.T) {
	terminal := map[events.State]bool{
		events.StateSucceeded: true, events.StateFailed: true, events.StateCancelled: true,
	}
	for _, s := range events.States() {
		if !s.Valid() {
			t.Errorf("%s is not valid", s)
		}
		if s.Terminal() != terminal[s] {
			t.Errorf("%s is terminal: %t", s, s.Terminal())
		}
	}
	for _, s := range []events.State{"", "done", "Queued"} {
		if s.Valid() || s.Terminal() {
			t.Errorf("%q is valid or terminal", s)
		}
	}
}

func TestTerminalTypes(t *testing.T) {
	for _, kind := range events.Types() {
		if state := events.State(kind); kind.Terminal() != state.Terminal() {
			t.Errorf("%s ends a run: %t, as a state: %t", kind, kind.Terminal(), state.Terminal())
		}
	}
}

func TestPriorities(t *testing.T) {
	for _, p := range events.Priorities() {
		if !p.Valid() {
			t.Errorf("%s is not valid", p)
		}
	}
	if events.Priority("").Valid() || events.Priority("high").Valid() {
		t.Error("an unknown priority is valid")
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range goldenNames(f) {
		f.Add(readGolden(f, name))
	}
	f.Add([]byte(`{"v":1,"job_id":"j","run":1,"type":"redriven","data":null}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := events.Decode(data)
		if err != nil {
			return
		}
		once := encode(t, e)
		again, err := events.Decode(once)
		if err != nil {
			t.Fatalf("decoded %q but not what it encodes to, %q: %v", data, once, err)
		}
		if twice := encode(t, again); string(once) != string(twice) {
			t.Errorf("not stable: %q, then %q", once, twice)
		}
	})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
