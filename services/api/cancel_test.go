package api

import (
	"net/http"
	"strings"
	"testing"

	"sluice/pkg/events"
)

func TestCancel(t *testing.T) {
	const id = "01a1ff8e-7160-7994-90cf-204ee61cbd5a"
	for name, tt := range map[string]struct {
		state  events.State // that status answers with
		code   string       // with which it refuses instead
		status int
		says   string
		first  string // what the first design's call says
	}{
		"at once":   {events.StateCancelled, "", 200, `"state":"cancelled"`, `"state":"cancelled"`},
		"asked for": {events.StateCancelling, "", 202, `"state":"cancelling"`, `"state":"active"`},
		"too late":  {events.StateSucceeded, events.QueryFinished, 409, `"code":"already_finished"`, `"state":"completed"`},
		"unknown":   {"", events.QueryNotFound, 404, `"code":"job_not_found"`, `"code":"job_not_found"`},
		"broken":    {"", events.QueryFailed, 503, `"code":"status_unavailable"`, `"code":"status_unavailable"`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			double := e.playStatus(t)
			double.cancels(tt.code)
			if tt.state != "" {
				double.tell(events.Status{ID: id, State: tt.state, Run: 1, Spec: events.Spec{Priority: events.Normal, Mode: events.Create}})
			}
			for _, call := range []struct{ method, path string }{
				{http.MethodPost, "/v1/jobs/" + id + "/cancel"}, {http.MethodDelete, "/v1/jobs/" + strings.ToUpper(id)},
			} {
				if a := e.call(t, call.method, call.path, ""); a.status != tt.status || !strings.Contains(string(a.body), tt.says) {
					t.Errorf("%s %s: %d %s", call.method, call.path, a.status, a.body)
				}
			}
			status := tt.status
			if status == 202 || status == 409 {
				status = 200
			}
			if a := e.get(t, "/job_cancel?jobId="+id); a.status != status || !strings.Contains(string(a.body), tt.first) {
				t.Errorf("/job_cancel: %d %s", a.status, a.body)
			}
		})
	}
}

func TestCancelOfNoUUID(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	for _, id := range []string{"x", "*", "01a1ff8e"} {
		for _, a := range []answer{
			e.call(t, http.MethodPost, "/v1/jobs/"+id+"/cancel", ""), e.call(t, http.MethodDelete, "/v1/jobs/"+id, ""), e.get(t, "/job_cancel?jobId="+id),
		} {
			if a.status != http.StatusNotFound {
				t.Errorf("job %s: %d %s", id, a.status, a.body)
			}
		}
	}
}
