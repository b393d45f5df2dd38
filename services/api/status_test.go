package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

func TestUnknownJob(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	known := e.create(t, example).ID
	for name, id := range map[string]string{
		"never created":      uuid.NewString(),
		"zero":               uuid.Nil.String(),
		"a word":             "latest",
		"a number":           "1",
		"too long":           strings.Repeat("a", 3000),
		"no hyphens":         strings.ReplaceAll(known, "-", ""),
		"in braces":          "%7B" + known + "%7D",
		"as a URN":           "urn:uuid:" + known,
		"with a blank":       known + "%20",
		"a subject's tokens": "a.b.*.%3E",
		"a NUL":              "%00",
		"a slash":            "a%2Fb",
		"dots":               "%2e%2e",
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, e.get(t, "/v1/jobs/"+id), refusal.JobNotFound)
			refused(t, e.get(t, "/v1/jobs/"+id+"/result"), refusal.JobNotFound)
			refused(t, e.get(t, "/job_status?jobId="+id), refusal.JobNotFound)
		})
	}
	if job := decoded[openapi.Job](t, e.get(t, "/v1/jobs/"+strings.ToUpper(known))); job.ID != known {
		t.Errorf("the id in capitals is job %s", job.ID)
	}
}

func TestGetJob(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	id := e.create(t, example).ID
	for name, s := range lives(id) {
		t.Run(name, func(t *testing.T) { // the answer is compared with the document by call
			status.tell(s)
			job := decoded[openapi.Job](t, e.get(t, "/v1/jobs/"+id))
			if job.State != openapi.JobState(s.State) || job.Attempt != s.Attempt {
				t.Errorf("answered %+v", job)
			}
			if (job.Links.Result != nil) != (s.State == events.StateSucceeded) {
				t.Errorf("links of a job that is %s: %+v", s.State, job.Links)
			}
		})
	}
}

func TestGetResult(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	id := e.create(t, example).ID
	for name, s := range lives(id) {
		t.Run(name, func(t *testing.T) {
			status.tell(s)
			a := e.get(t, "/v1/jobs/"+id+"/result")
			switch {
			case s.State == events.StateSucceeded:
				if r := decoded[openapi.JobResult](t, a); a.status != http.StatusOK || r.JobID != id || r.Rows != s.Result.Rows {
					t.Errorf("answered %d %s", a.status, a.body)
				}
			case s.State.Terminal():
				refused(t, a, refusal.NoResult)
			default:
				refused(t, a, refusal.NotFinished)
			}
		})
	}
}

// TestResultOfWhatWasSeen holds that who has seen a job succeed, in its events, is not told that it runs.
func TestResultOfWhatWasSeen(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	id, sequences := e.life(t)
	s := lives(id)["succeeded"]
	status.tellLate(s, sequences[len(sequences)-1])
	a := e.get(t, "/v1/jobs/"+id+"/result")
	if r := decoded[openapi.JobResult](t, a); a.status != http.StatusOK || r.Rows != s.Result.Rows {
		t.Errorf("answered %d %s", a.status, a.body)
	}
}

func TestListJobs(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	const nothing = `{"jobs":[],"totals":{"queued":0,"running":0,"retrying":0,"cancelling":0,"succeeded":0,"failed":0,"cancelled":0}}`
	if a := e.get(t, "/v1/jobs"); a.status != http.StatusOK || !sameJSON(t, string(a.body), nothing) {
		t.Errorf("no jobs: %d %s", a.status, a.body)
	}
	if q := status.lastList(); q != (events.List{Limit: 50}) {
		t.Errorf("asked for %+v", q)
	}
	next := events.Cursor{CreatedAtMS: noon.UnixMilli(), ID: uuid.NewString()}
	status.page = events.Page{Next: &next, Totals: map[events.State]int{events.StateFailed: 7, events.StateQueued: 1}}
	for _, s := range lives(uuid.NewString()) {
		s.Result = nil
		status.page.Jobs = append(status.page.Jobs, s)
	}
	list := decoded[openapi.JobList](t, e.get(t, "/v1/jobs?state=failed&limit=1000"))
	if len(list.Jobs) != len(status.page.Jobs) || list.NextCursor == nil || list.Totals != (openapi.JobTotals{Failed: 7, Queued: 1}) {
		t.Fatalf("answered %+v", list)
	}
	if q := status.lastList(); q != (events.List{State: events.StateFailed, Limit: 1000}) {
		t.Errorf("asked for %+v", q)
	}
	if a := e.get(t, "/v1/jobs?limit=1&cursor="+*list.NextCursor); a.status != http.StatusOK {
		t.Errorf("the next page: %d %s", a.status, a.body)
	}
	if q := status.lastList(); q.Limit != 1 || q.After == nil || *q.After != next {
		t.Errorf("asked for %+v after %+v", q, q.After)
	}
}

// TestListFilters holds that each filter reaches status.
func TestListFilters(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	for query, want := range map[string]events.Filter{
		"priority=urgent":                       {Priority: events.Urgent},
		"table=trips":                           {Table: "trips"},
		"table=a%26b%3Dc%22":                    {Table: `a&b=c"`},
		"source=" + url.QueryEscape(exampleURL): {Source: exampleURL},
		"created_after=2026-03-02T12:00:00Z":    {CreatedAfter: noon},
		"created_before=2026-03-02T13:00:00.5%2B01:00&created_after=2026-03-02T12:00:00Z&priority=normal": {
			Priority: events.Normal, CreatedAfter: noon, CreatedBefore: noon.Add(500 * time.Millisecond),
		},
	} {
		if a := e.get(t, "/v1/jobs?"+query); a.status != http.StatusOK {
			t.Errorf("%s: answered %d %s", query, a.status, a.body)
			continue
		}
		got := status.lastList().Filter
		got.CreatedAfter, got.CreatedBefore = got.CreatedAfter.UTC(), got.CreatedBefore.UTC()
		if got != want {
			t.Errorf("%s: asked for %+v, want %+v", query, got, want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=1001", "limit=ten", "limit=", "limit=1.5", "limit=99999999999999999999", "limit=1&limit=2",
		"state=", "state=done", "state=queued&state=failed", "cursor=", "cursor=x", "cursor=bnVsbA", "cursor=e30", "cursor=%00", "cursor=a&cursor=b",
		"priority=", "priority=low", "table=", "table=" + strings.Repeat("x", 64), "source=", "source=" + strings.Repeat("x", 8193),
		"created_after=yesterday", "created_after=2026-03-02T12:00:00", "created_before=1",
	} {
		t.Run(query, func(t *testing.T) {
			refused(t, e.get(t, "/v1/jobs?"+query), refusal.InvalidRequest)
		})
	}
	p := refused(t, e.get(t, "/v1/jobs?limit=0&state=done&cursor="), refusal.InvalidRequest)
	if p.Errors == nil || len(*p.Errors) != 3 {
		t.Errorf("not each parameter is named: %+v", p)
	}
}

func FuzzCursor(f *testing.F) {
	for _, text := range []string{"", "e30", "bnVsbA", "eyJ0IjoxLCJpZCI6ImEifQ", "eyJ0IjoxZTk5LCJpZCI6ImEifQ", "////", "W10", "\x00",
		"eyJ0IjoxLCJpZCI6IjAxYTFmZjljLTNmMGQtN2IxYS05YjU3LTBmNWEzYTZmMWQyZSJ9"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := decodeCursor(text)
		if err != nil {
			return
		}
		again, err := encodeCursor(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeCursor(again); err != nil || back != c {
			t.Errorf("%+v came back as %+v (%v)", c, back, err)
		}
	})
}
