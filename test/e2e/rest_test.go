package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/testenv"
)

func TestREST(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t), "--slots", "4")
	for name, test := range map[string]func(*testing.T, *instance){
		"one job": oneJob, "idempotency": idempotency, "lists": lists, "operation": operation, "secrets": secrets,
	} {
		t.Run(name, func(t *testing.T) { test(t, i) })
	}
}

func oneJob(t *testing.T, i *instance) {
	const file = "id,\"full name\",note\n1,Ada,\"said \"\"no\"\"\"\n2,,\n"
	source := testenv.Files(t, map[string]string{"/people.csv": file}) + "/people.csv"
	made := i.submit(t, map[string]any{"url": source, "table": "People", "priority": "urgent"})
	if made.State != "queued" || made.Links.Self != "/v1/jobs/"+made.ID || made.Links.Result != "" || made.Attempt != 0 {
		t.Errorf("made is %+v", made)
	}
	if now := got[job](t, i, made.Links.Self); now.ID != made.ID { // at once, however far status is
		t.Errorf("found is %+v", now)
	}
	j := i.awaitState(t, made.ID, "succeeded")
	if j.Source != source || j.Table != "People" || j.Priority != "urgent" || j.Mode != "create" || j.Attempt != 1 ||
		j.StartedAt == nil || j.FinishedAt == nil || j.StartedAt.Before(j.CreatedAt) || j.FinishedAt.Before(*j.StartedAt) ||
		!j.CreatedAt.Equal(made.CreatedAt) || j.Error != nil || j.Links.Result == "" {
		t.Errorf("the job is %+v", j)
	}
	if p := j.Progress; p.Phase != "done" || p.Rows != 2 || p.Bytes != int64(len(file)) || p.Percent == nil || *p.Percent != 100 {
		t.Errorf("its progress is %+v", p)
	}
	r := got[result](t, i, j.Links.Result)
	sum := sha256.Sum256([]byte(file))
	if r.JobID != j.ID || r.Outcome != "loaded" || r.Table != "People" || r.Rows != 2 || r.Rejected != 0 ||
		r.Bytes != int64(len(file)) || r.Checksum != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("the result is %+v", r)
	}
	var columns []string
	for _, c := range r.Columns {
		columns = append(columns, c.Original+" "+c.Type)
	}
	if got := strings.Join(columns, ", "); got != "id text, full name text, note text" {
		t.Errorf("the columns are %s", got)
	}
	if rows := column[string](t, i.connect(t), `SELECT id || '|' || (note IS NULL) FROM public."People" ORDER BY id`); strings.Join(rows, " ") != "1|false 2|true" {
		t.Errorf("the rows are %v", rows)
	}
	again := i.submit(t, map[string]any{"url": source, "table": "People"})
	i.await(testenv.Context(t), t, again.ID, "fails", func(j job) bool {
		return j.State == "failed" && j.Error != nil && j.Error.Code == "table_exists"
	})
	refused(t, i.get(t, again.Links.Self+"/result"), http.StatusConflict, "no_result")
}

func idempotency(t *testing.T, i *instance) {
	source := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"}) + "/a.csv"
	fields := map[string]any{"url": source, "table": "once"}
	first := i.submit(t, fields, "Idempotency-Key: once")
	var calls sync.WaitGroup
	for range 10 {
		calls.Go(func() {
			if again := i.submit(t, fields, "Idempotency-Key: once"); again.ID != first.ID {
				t.Errorf("repeated is %s, first %s", again.ID, first.ID)
			}
		})
	}
	calls.Wait()
	i.awaitState(t, first.ID, "succeeded")
	if again := i.submit(t, fields, "Idempotency-Key: once"); again.ID != first.ID || again.State != "succeeded" {
		t.Errorf("repeated after the end is %+v", again)
	}
	body := fmt.Sprintf(`{"url":%q,"table":"twice"}`, source)
	a := i.call(t, http.MethodPost, "/v1/jobs", body, "Content-Type: application/json", "Idempotency-Key: once")
	refused(t, a, http.StatusConflict, "idempotency_conflict")
	if rows := column[string](t, i.connect(t), `SELECT a FROM public.once`); len(rows) != 1 {
		t.Errorf("the rows are %v", rows)
	}
}

// lists creates many small jobs and reads them back in pages.
func lists(t *testing.T, i *instance) {
	const jobs = 120
	files := map[string]string{}
	for n := range jobs {
		files[fmt.Sprintf("/list%d.csv", n)] = fmt.Sprintf("n\n%d\n", n)
	}
	server := testenv.Files(t, files)
	var mu sync.Mutex
	made := map[string]bool{}
	var calls sync.WaitGroup
	for worker := range 8 {
		calls.Go(func() {
			for n := worker; n < jobs; n += 8 {
				table := fmt.Sprintf("list%d", n)
				j := i.submit(t, map[string]any{"url": server + "/" + table + ".csv", "table": table})
				mu.Lock()
				made[j.ID] = true
				mu.Unlock()
			}
		})
	}
	calls.Wait()
	ctx := testenv.Context(t)
	testenv.Eventually(ctx, t, "all jobs are done", func() error {
		for _, state := range []string{"queued", "running"} {
			if left := i.pages(t, "state="+state+"&limit=1000"); len(left) > 0 {
				return fmt.Errorf("%d are %s", len(left), state)
			}
		}
		return nil
	})
	for _, limit := range []int{1, 7, 119, 120, 1000} {
		listed := slices.DeleteFunc(i.pages(t, fmt.Sprintf("state=succeeded&limit=%d", limit)), func(j job) bool { return !made[j.ID] })
		ids := map[string]bool{}
		for _, j := range listed {
			ids[j.ID] = true
		}
		if len(listed) != jobs || len(ids) != jobs {
			t.Errorf("in pages of %d: %d jobs, %d different ones, want %d", limit, len(listed), len(ids), jobs)
		}
		if !slices.IsSortedFunc(listed, newestFirst) {
			t.Errorf("in pages of %d: not the newest first", limit)
		}
	}
	for _, j := range i.pages(t, "state=failed&limit=5") {
		if made[j.ID] || j.State != "failed" {
			t.Errorf("listed as failed is %+v", j)
		}
	}
	refused(t, i.get(t, "/v1/jobs?limit=1001"), http.StatusBadRequest, "invalid_request")
}

func newestFirst(a, b job) int {
	if n := b.CreatedAt.Compare(a.CreatedAt); n != 0 {
		return n
	}
	return strings.Compare(b.ID, a.ID)
}

// pages reads a list to its end.
func (i *instance) pages(t testing.TB, query string) []job {
	t.Helper()
	var all []job
	for cursor := ""; ; {
		page := got[struct {
			Jobs []job  `json:"jobs"`
			Next string `json:"next_cursor"`
		}](t, i, "/v1/jobs?"+query+cursor)
		all = append(all, page.Jobs...)
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

func operation(t *testing.T, i *instance) {
	for _, path := range []string{"/healthz", "/readyz"} {
		if h := got[struct{ Status string }](t, i, path); h.Status != "ok" {
			t.Errorf("%s says %s", path, h.Status)
		}
	}
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(root, "services", "api", "openapi", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if a := i.get(t, "/openapi.yaml"); a.status != http.StatusOK || !bytes.Equal(a.body, document) {
		t.Errorf("the document: %d, %d bytes", a.status, len(a.body))
	}
	monitor := http.Client{}
	response, err := monitor.Get(i.monitor + "/healthz")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("NATS is not well: %v %v", response, err)
	}
	_ = response.Body.Close()
}

// secrets loads from an address with a query, and looks for it wherever it could be kept.
func secrets(t *testing.T, i *instance) {
	source := testenv.Files(t, map[string]string{"/secret.csv": "a\n1\n"}) + "/secret.csv"
	whole := strings.Replace(source, "http://", "http://hush-user:hush-password@", 1) + "?token=hush-token"
	j := i.awaitState(t, i.submit(t, map[string]any{"url": whole, "table": "secret"}).ID, "succeeded")
	if j.Source != source {
		t.Errorf("shown is %s, want %s", j.Source, source)
	}
	gone := i.submit(t, map[string]any{"url": strings.Replace(whole, "secret.csv", "gone.csv", 1)})
	i.awaitState(t, gone.ID, "failed")
	err := filepath.WalkDir(i.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // files come and go
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte("hush")) {
			t.Errorf("%s holds a secret", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(i.get(t, "/v1/jobs?limit=1000").body), i.Stdout.String(), i.Stderr.String()} {
		if strings.Contains(text, "hush") {
			t.Errorf("a secret is told: %s", text)
		}
	}
}
