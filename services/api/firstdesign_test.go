package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

func TestDownloadFile(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	for _, tt := range []struct{ body, media string }{
		{"fileUrl=" + exampleURL, isForm}, // as curl -d sends it
		{"fileUrl=" + url.QueryEscape(exampleURL), isForm + "; charset=utf-8"},
		{"other=1&fileUrl=" + exampleURL, isForm},
		{`{"fileUrl":"` + exampleURL + `"}`, isJSON},
	} {
		a := e.call(t, http.MethodPost, "/download_file", tt.body, tt.media)
		id := decoded[openapi.FirstDesignJob](t, a).JobID
		if a.status != http.StatusOK || id == "" {
			t.Errorf("%s: answered %d %s", tt.body, a.status, a.body)
		}
		if job := decoded[openapi.Job](t, e.get(t, "/v1/jobs/"+id)); job.Source != exampleURL || job.Priority != openapi.PriorityNormal {
			t.Errorf("%s: became %+v", tt.body, job)
		}
	}
	e.expectStored(t, 4)
}

func TestDownloadFileRefuses(t *testing.T) {
	e := newEnv(t)
	for name, tt := range map[string]struct {
		body, media string
		code        refusal.Code
	}{
		"no fileUrl":            {"url=" + exampleURL, isForm, refusal.InvalidRequest},
		"empty fileUrl":         {"fileUrl=", isForm, refusal.InvalidRequest},
		"empty form":            {"", isForm, refusal.InvalidRequest},
		"another scheme":        {"fileUrl=ftp://example.com/a.csv", isForm, refusal.InvalidRequest},
		"broken escape":         {"fileUrl=%zz", isForm, refusal.InvalidRequest},
		"semicolon":             {"fileUrl=http://example.com/a;b.csv", isForm, refusal.InvalidRequest},
		"empty object":          {`{}`, isJSON, refusal.InvalidRequest},
		"unknown field in JSON": {`{"fileUrl":"` + exampleURL + `","table":"t"}`, isJSON, refusal.InvalidRequest},
		"several parts":         {"--x\r\n", "Content-Type: multipart/form-data; boundary=x", refusal.UnsupportedMediaType},
		"no media type":         {"", "", refusal.UnsupportedMediaType},
		"too large a form":      {"fileUrl=" + strings.Repeat("a", 2<<20), isForm, refusal.BodyTooLarge},
		"too large a JSON":      {`{"fileUrl":"` + strings.Repeat("a", 2<<20) + `"}`, isJSON, refusal.BodyTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, e.call(t, http.MethodPost, "/download_file", tt.body, tt.media), tt.code)
		})
	}
	refused(t, e.get(t, "/job_status"), refusal.InvalidRequest)
	refused(t, e.get(t, "/download_file"), refusal.MethodNotAllowed)
	if n := len(e.stored(t, bus.EventsStream)); n != 0 {
		t.Errorf("%d events are left", n)
	}
}

// TestJobStatusWords holds that each state has its word of pg-boss.
func TestJobStatusWords(t *testing.T) {
	e := newEnv(t)
	status := e.playStatus(t)
	id := e.create(t, example).ID
	want := map[events.State]string{
		events.StateQueued: "created", events.StateRetrying: "retry", events.StateRunning: "active",
		events.StateCancelling: "active", events.StateSucceeded: "completed", events.StateCancelled: "cancelled",
		events.StateFailed: "failed",
	}
	for _, state := range events.States() {
		status.tell(events.Status{ID: id, State: state, Run: 1})
		a := e.get(t, "/job_status?jobId="+id)
		if got := string(a.body); a.status != http.StatusOK || !sameJSON(t, got, `{"jobId":"`+id+`","state":"`+want[state]+`"}`) {
			t.Errorf("%s: answered %d %s", state, a.status, got)
		}
	}
}
