package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const isCSV = "Content-Type: text/csv"

// upload uploads a file and returns what is kept of it.
func (e *env) upload(t testing.TB, query string, body io.Reader, headers ...string) bus.Upload {
	t.Helper()
	a := e.send(t, http.MethodPost, "/v1/uploads"+query, body, headers...)
	if a.status != http.StatusCreated {
		t.Fatalf("uploading: %d %s", a.status, a.body)
	}
	told := decoded[openapi.Upload](t, a)
	u, err := e.bus.Uploads.Info(testenv.Context(t), strings.TrimPrefix(told.Upload, "upload:"))
	if err != nil {
		t.Fatal(err)
	}
	if told.Bytes != u.Bytes || told.SHA256 != u.SHA256 {
		t.Errorf("told is %+v, kept %+v", told, u)
	}
	return u
}

// expectUploads holds how many messages there are in the store.
func (e *env) expectUploads(t testing.TB, messages int) {
	t.Helper()
	if got := len(e.stored(t, bus.UploadsStream)); got != messages {
		t.Errorf("there are %d messages in the store, want %d", got, messages)
	}
}

// kept is the content of an upload.
func (e *env) kept(t testing.TB, u bus.Upload) []byte {
	t.Helper()
	r, err := e.bus.Uploads.Open(testenv.Context(t), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUpload(t *testing.T) {
	e := newEnv(t)
	large := bytes.Repeat([]byte("0123456789abcde\n"), 100_000)
	for name, tt := range map[string]struct {
		query, media string
		body         []byte
		want         bus.Upload
	}{
		"as curl sends it":      {"?filename=trips.csv", isForm, []byte("a=1;b=%zz&\n"), bus.Upload{Name: "trips.csv"}},
		"csv":                   {"?filename=trips.csv", isCSV + "; charset=latin1", []byte("a\n1\n"), bus.Upload{Name: "trips.csv", MediaType: "text/csv; charset=latin1"}},
		"without anything":      {"", "", []byte("a"), bus.Upload{}},
		"json":                  {"?filename=a.json", isJSON, []byte("{"), bus.Upload{Name: "a.json", MediaType: "application/json"}},
		"not of a media type":   {"", "Content-Type: csv/", []byte("a"), bus.Upload{}},
		"more than other take":  {"?filename=large", "", large, bus.Upload{Name: "large"}},
		"a path":                {"?filename=%2Fsrv%2Fin%2Fa%20b.csv", "", []byte("a"), bus.Upload{Name: "a b.csv"}},
		"a path of Windows":     {"?filename=C%3A%5Cin%5Ca.csv", "", []byte("a"), bus.Upload{Name: "a.csv"}},
		"a folder":              {"?filename=..%2F..", "", []byte("a"), bus.Upload{}},
		"control characters":    {"?filename=%00a%0A%E2%80%AEb%7F.csv%FF", "", []byte("a"), bus.Upload{Name: "ab.csv"}},
		"of any script":         {"?filename=%D0%9F%D0%BE%D0%B5%D0%B7%D0%B4%D0%BA%D0%B8.csv", "", []byte("a"), bus.Upload{Name: "Поездки.csv"}},
		"the longest name":      {"?filename=" + strings.Repeat("a", 255), "", []byte("a"), bus.Upload{Name: strings.Repeat("a", 255)}},
		"a media type too long": {"", "Content-Type: text/csv; charset=" + strings.Repeat("a", 255), []byte("a"), bus.Upload{}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []io.Reader{bytes.NewReader(tt.body), struct{ io.Reader }{bytes.NewReader(tt.body)}} {
				u := e.upload(t, tt.query, body, tt.media)
				if u.Name != tt.want.Name || u.MediaType != tt.want.MediaType {
					t.Errorf("kept is %+v, want %+v", u, tt.want)
				}
				if hash := sha256.Sum256(tt.body); u.SHA256 != hex.EncodeToString(hash[:]) || !bytes.Equal(e.kept(t, u), tt.body) {
					t.Error("kept is something else")
				}
			}
		})
	}
}

// TestRefusedUploads holds that nothing is kept of what is refused.
func TestRefusedUploads(t *testing.T) {
	e := newEnv(t)
	const limit = 2 << 20
	e.api.config.UploadBytes = limit
	for name, tt := range map[string]struct {
		query, body string
		code        refusal.Code
		says        string
	}{
		"empty":            {"", "", refusal.EmptyUpload, ""},
		"too large":        {"", strings.Repeat("a", limit+1), refusal.BodyTooLarge, fmt.Sprint(limit)},
		"name too long":    {"?filename=" + strings.Repeat("a", 256), "a", refusal.InvalidRequest, "255"},
		"two names":        {"?filename=a&filename=b", "a", refusal.InvalidRequest, "filename"},
		"name as an array": {"?filename[]=a&filename=" + strings.Repeat("%C3%A4", 128), "a", refusal.InvalidRequest, "filename"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []io.Reader{strings.NewReader(tt.body), struct{ io.Reader }{strings.NewReader(tt.body)}} {
				p := refused(t, e.send(t, http.MethodPost, "/v1/uploads"+tt.query, body, isCSV), tt.code)
				if p.Detail == nil || !strings.Contains(*p.Detail, tt.says) {
					t.Errorf("the detail %v does not name %s", p.Detail, tt.says)
				}
			}
		})
	}
	e.expectUploads(t, 0)
	e.upload(t, "", strings.NewReader(strings.Repeat("a", limit)))
	refused(t, e.call(t, http.MethodPost, "/v1/uploads", "a", "Sec-Fetch-Site: cross-site"), refusal.CrossOrigin)
	refused(t, e.call(t, http.MethodGet, "/v1/uploads", ""), refusal.MethodNotAllowed)
}

func TestUploadsAtOnce(t *testing.T) {
	e := newEnv(t)
	var clients sync.WaitGroup
	for client := range 12 {
		clients.Go(func() {
			body := bytes.Repeat([]byte{byte(client)}, client*300_000+1)
			if u := e.upload(t, "", bytes.NewReader(body)); !bytes.Equal(e.kept(t, u), body) {
				t.Errorf("kept of %d is something else", client)
			}
		})
	}
	clients.Wait()
	for range maxUploads {
		e.api.intake.slots <- struct{}{}
	}
	refused(t, e.call(t, http.MethodPost, "/v1/uploads", "a"), refusal.UploadUnavailable)
	<-e.api.intake.slots
	e.upload(t, "", strings.NewReader("a"))
}

func TestUploadStoreAway(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	u := e.upload(t, "", strings.NewReader("a"))
	e.stopNATS(ctx, t)
	for path, want := range map[string]refusal.Code{"/v1/uploads": refusal.UploadUnavailable, "/v1/jobs": refusal.QueueUnavailable} {
		begun := time.Now()
		a := e.call(t, http.MethodPost, path, ofUpload(u), isJSON)
		refused(t, a, want)
		if took := time.Since(begun); took > quickly || a.header.Get("Retry-After") == "" || strings.Contains(string(a.body), "nats") {
			t.Errorf("%s: told after %s: %s", path, took, a.body)
		}
	}
	e.nats.Start()
	testenv.Eventually(ctx, t, "uploading after the outage", func() error {
		if a := e.call(t, http.MethodPost, "/v1/uploads", "a"); a.status != http.StatusCreated {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		return nil
	})
}

// TestUploadStoreFull holds that uploads without room are refused, and jobs are not.
func TestUploadStoreFull(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	if err := (bus.Topology{Replicas: 1, UploadBytes: 4 << 20}).Setup(ctx, e.bus.Conn); err != nil {
		t.Fatal(err)
	}
	a := e.send(t, http.MethodPost, "/v1/uploads", bytes.NewReader(make([]byte, 8<<20)))
	refused(t, a, refusal.UploadUnavailable)
	if a.header.Get("Retry-After") == "" {
		t.Error("not told when to try again")
	}
	e.expectUploads(t, 0)
	e.create(t, example)
}

func TestUploadStoreMissing(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	e.removeStream(ctx, t, bus.UploadsStream)
	refused(t, e.call(t, http.MethodPost, "/v1/uploads", "a"), refusal.UploadUnavailable)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", ofUpload(bus.Upload{ID: uuid.NewString()}), isJSON), refusal.QueueUnavailable)
}

// ofUpload is a request for a job.
func ofUpload(u bus.Upload) string { return fmt.Sprintf(`{"upload":"upload:%s"}`, u.ID) }

func TestJobOfAnUpload(t *testing.T) {
	e := newEnv(t)
	u := e.upload(t, "?filename=trips.csv", strings.NewReader("a\n1\n"))
	jobs := []string{e.create(t, ofUpload(u)).ID, e.create(t, ofUpload(u)).ID}
	now, err := e.bus.Uploads.Info(testenv.Context(t), u.ID)
	if err != nil || strings.Join(now.Jobs, " ") != strings.Join(jobs, " ") {
		t.Errorf("it is kept for %v (%v), want for %v", now.Jobs, err, jobs)
	}
	job, err := events.DecodeJob(e.stored(t, bus.JobsStream)[0].Data)
	if id, is := job.Spec.Source.Upload(); err != nil || !is || id != u.ID {
		t.Errorf("queued is %+v (%v)", job.Spec.Source, err)
	}
	e.expectStored(t, 2)
}

func TestJobOfNoUpload(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	gone := e.upload(t, "", strings.NewReader("a"))
	if err := e.bus.Uploads.Remove(ctx, info(ctx, t, e, gone)); err != nil {
		t.Fatal(err)
	}
	old := e.upload(t, "", strings.NewReader("a"))
	e.api.now = func() time.Time { return old.At.Add(23*time.Hour + time.Second) }
	for name, u := range map[string]bus.Upload{"removed": gone, "too old": old, "never there": {ID: uuid.NewString()}, "of no id": {ID: uuid.Nil.String()}} {
		t.Run(name, func(t *testing.T) {
			for _, headers := range [][]string{{isJSON}, {isJSON, isKey + name}} {
				p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", ofUpload(u), headers...), refusal.UploadNotFound)
				if p.Errors == nil || len(*p.Errors) != 1 || (*p.Errors)[0].Pointer != "/upload" {
					t.Errorf("fields at fault are %v", p.Errors)
				}
			}
		})
	}
	for field, value := range map[string]string{"mode": "apend", "priority": "high", "types": "guess"} { // whoever wants to know asks before they upload
		refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"`+field+`":"`+value+`",`+ofUpload(gone)[1:], isJSON), refusal.InvalidRequest)
	}
	e.expectStored(t, 0)
	e.api.now = func() time.Time { return old.At.Add(23*time.Hour - time.Second) }
	e.create(t, ofUpload(old))
}

// TestRepeatedRequestOutlivesItsUpload holds that a repeated request is answered as before when its file is gone, and one by
// another key is not.
func TestRepeatedRequestOutlivesItsUpload(t *testing.T) {
	e, ctx := newEnv(t), testenv.Context(t)
	u := e.upload(t, "", strings.NewReader("a"))
	first := e.create(t, ofUpload(u), isKey+"k")
	if again := e.create(t, ofUpload(u), isKey+"k"); again.ID != first.ID {
		t.Errorf("repeated it is %s, was %s", again.ID, first.ID)
	}
	now := info(ctx, t, e, u)
	if len(now.Jobs) != 1 {
		t.Errorf("it is kept for %v", now.Jobs)
	}
	if err := e.bus.Uploads.Remove(ctx, now); err != nil {
		t.Fatal(err)
	}
	if again := e.create(t, ofUpload(u), isKey+"k"); again.ID != first.ID {
		t.Errorf("repeated without its file it is %s, was %s", again.ID, first.ID)
	}
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", ofUpload(u), isJSON, isKey+"l"), refusal.UploadNotFound)
	refused(t, e.call(t, http.MethodPost, "/v1/jobs", `{"table":"t",`+ofUpload(u)[1:], isJSON, isKey+"k"), refusal.IdempotencyConflict)
	e.expectStored(t, 1)
}

func info(ctx context.Context, t testing.TB, e *env, u bus.Upload) bus.Upload {
	t.Helper()
	now, err := e.bus.Uploads.Info(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}
