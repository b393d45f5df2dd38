package api

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

func TestHistoryOfAJob(t *testing.T) {
	e, _ := newLiveEnv(t)
	id, life := e.life(t)
	e.life(t)
	target := "/v1/jobs/" + id + "/events"
	for limit := 1; limit <= len(life)+1; limit++ {
		var got []uint64
		next := ""
		for pages := 0; ; pages++ {
			page := decoded[openapi.EventList](t, e.get(t, fmt.Sprintf("%s?limit=%d%s", target, limit, next)))
			for _, event := range page.Events {
				got = append(got, uint64(event.Sequence))
			}
			if page.NextCursor == nil {
				break
			}
			if next = "&cursor=" + *page.NextCursor; len(page.Events) != limit {
				t.Errorf("a page of %d has %d events and another one behind it", limit, len(page.Events))
			}
		}
		if !slices.Equal(got, life) {
			t.Errorf("in pages of %d: %v, want %v", limit, got, life)
		}
	}
	if page := decoded[openapi.EventList](t, e.get(t, target)); len(page.Events) != len(life) || page.NextCursor != nil {
		t.Errorf("answered %+v", page)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=", "limit=x", "cursor=", "cursor=x", "cursor=-1", "cursor=1&cursor=2"} {
		refused(t, e.get(t, target+"?"+query), refusal.InvalidRequest)
	}
	if p := refused(t, e.get(t, target+"?limit=0&cursor="), refusal.InvalidRequest); len(*p.Errors) != 2 {
		t.Errorf("not each parameter is named: %+v", p)
	}
}

func TestEventsOfUnknownJobs(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	r := e.run(t, 0)
	e.url = "http://" + r.listener.Addr().String()
	for _, id := range []string{uuid.NewString(), "latest", "*", "%3E"} {
		refused(t, e.get(t, "/v1/jobs/"+id+"/events"), refusal.JobNotFound)
		refused(t, e.call(t, http.MethodGet, "/v1/jobs/"+id+"/events", "", isStream), refusal.JobNotFound)
		refused(t, e.call(t, http.MethodGet, "/v1/jobs/"+id+"/events", "", isStream, isLast+"7"), refusal.JobNotFound)
	}
	old := uuid.NewString() // whose events are forgotten
	status.tell(events.Status{ID: old, State: events.StateSucceeded})
	if a := e.get(t, "/v1/jobs/"+old+"/events"); !sameJSON(t, string(a.body), `{"events":[]}`) {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	if a := e.call(t, http.MethodGet, "/v1/jobs/"+old+"/events", "", isStream); a.status != http.StatusNoContent {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	waits := uuid.NewString()
	status.tell(events.Status{ID: waits, State: events.StateQueued})
	w := e.watch(t, "/v1/jobs/"+waits+"/events")
	w.expect(t, e.publish(t, waits, position(1), events.Started{}))
}

// TestUnreadableEvents holds that what a later Sluice writes is left out.
func TestUnreadableEvents(t *testing.T) {
	e, _ := newLiveEnv(t)
	job := e.create(t, example)
	all := e.watch(t, "/v1/events", isLast+"0")
	if err := e.bus.Conn.Publish(events.EventSubject(job.ID, "celebrated"), []byte(`{"v":1,"job_id":"`+job.ID+`","run":1,"type":"celebrated"}`)); err != nil {
		t.Fatal(err)
	}
	next := e.publish(t, job.ID, position(1), events.Started{})
	all.expect(t, 1, 2, next)
	e.watch(t, job.Links.Events).expect(t, 1, 2, next)
	if page := decoded[openapi.EventList](t, e.get(t, job.Links.Events)); len(page.Events) != 3 {
		t.Errorf("answered %+v", page)
	}
}
