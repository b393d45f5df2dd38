package api

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// secretURL holds the word hush wherever a secret may be.
const secretURL = "https://hush-user:hush-password@example.com/data/trips.csv?token=hush-token&x=1#hush-fragment"

func TestSecretsAreKept(t *testing.T) {
	var log lockedBuffer
	e, _ := newLiveEnv(t, func(e *env) {
		e.api.config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})

	job := e.create(t, `{"url":"`+secretURL+`"}`, isKey+"k")
	if job.Source != "https://example.com/data/trips.csv" {
		t.Errorf("shown is %s", job.Source)
	}
	said := [][]byte{
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+secretURL+`"}`, isJSON, isKey+"k").body,
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+secretURL+`","table":"other"}`, isJSON, isKey+"k").body,
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+secretURL+`","table":""}`, isJSON).body,
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+strings.Replace(secretURL, "/trips", ":port/%zz/trips", 1)+`"}`, isJSON).body,
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+strings.Replace(secretURL, "https", "ftp", 1)+`"}`, isJSON).body,
		e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+secretURL+`"`, isJSON).body,
		e.call(t, http.MethodPost, "/download_file", "fileUrl="+strings.ReplaceAll(secretURL, "&", "%26"), isForm).body,
		e.call(t, http.MethodPost, "/download_file", "fileUrl=%zz"+secretURL, isForm).body,
		e.call(t, http.MethodPost, "/download_file", "fileUrl="+secretURL+";", isForm).body,
		e.get(t, job.Links.Self).body,
		e.get(t, "/v1/jobs").body,
		log.Bytes(),
	}
	for _, stream := range []string{bus.EventsStream, bus.JobsStream} {
		for _, msg := range e.stored(t, stream) {
			said = append(said, msg.Data)
			for _, values := range msg.Header {
				said = append(said, []byte(strings.Join(values, " ")))
			}
		}
	}
	for _, text := range said {
		if bytes.Contains(text, []byte("hush")) {
			t.Errorf("a secret is told: %s", text)
		}
	}
	e.expectSilentEvents(t, job)
	queued, err := events.DecodeJob(e.stored(t, bus.JobsStream)[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	whole, _, _ := strings.Cut(secretURL, "#")
	if opened, err := e.api.sealer.Open(job.ID, queued.Spec.Source); err != nil || opened.URL != whole {
		t.Errorf("an ingester opens %s (%v), want %s", opened.URL, err, whole)
	}
}

// expectSilentEvents holds that what is shown of a job's events has nothing that only Sluice's own processes need.
func (e *env) expectSilentEvents(t testing.TB, job openapi.Job) {
	t.Helper()
	spec, err := e.api.spec(job.ID, request{source: source{url: mustParse(t, secretURL)}})
	if err != nil {
		t.Fatal(err)
	}
	live := e.watch(t, "/v1/events")
	e.publish(t, job.ID, position(1), events.Started{Spec: spec, Worker: "one"})
	data := ""
	for !strings.HasPrefix(data, "data: ") {
		if data, err = live.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	e.publish(t, job.ID, position(2), events.Cancelled{})
	shown := [][]byte{
		[]byte(data),
		e.get(t, job.Links.Events).body,
		e.call(t, http.MethodGet, job.Links.Events, "", isStream).body,
	}
	for _, text := range shown {
		for _, secret := range []string{"hush", "sealed", "spec", "request_hash", "source"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s is told: %s", secret, text)
			}
		}
	}
}

func TestSecretsNeedAKey(t *testing.T) {
	e := newEnvWith(t, noKey)
	for _, secret := range []string{"https://me@example.com/", "https://me:pw@example.com/", "https://example.com/?a=1", "https://example.com/?"} {
		p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"url":"`+secret+`"}`, isJSON), refusal.SecretKeyMissing)
		if p.Errors == nil || (*p.Errors)[0].Pointer != "/url" {
			t.Errorf("%s: the field is not named", secret)
		}
		refused(t, e.call(t, http.MethodPost, "/download_file", "fileUrl="+secret, isForm), refusal.SecretKeyMissing)
	}
	e.expectStored(t, 0)
	e.create(t, `{"url":"https://example.com/a.csv#part"}`)
}

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.all.Bytes())
}
