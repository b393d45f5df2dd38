package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sluice/internal/testenv"
)

// shelved is a file that says which version it is, unless it is told not to, and counts what is sent of it.
type shelved struct {
	url string

	mu      sync.Mutex
	content string
	silent  bool
	sent    int
}

func shelve(t testing.TB, content string) *shelved {
	t.Helper()
	s := &shelved{content: content}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/stock.csv?branch=7"
	return s
}

func (s *shelved) become(content string, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content, s.silent, s.sent = content, silent, 0
}

func (s *shelved) bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *shelved) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	content, silent := s.content, s.silent
	s.mu.Unlock()
	if !silent {
		sum := sha256.Sum256([]byte(content))
		w.Header().Set("ETag", strconv.Quote(hex.EncodeToString(sum[:8])))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	for len(content) > 0 {
		n, err := w.Write([]byte(content[:min(len(content), 1<<16)]))
		s.mu.Lock()
		s.sent += n
		s.mu.Unlock()
		if content = content[n:]; err != nil {
			return
		}
	}
}

// TestUnchangedFile asks for the same file again and again, and holds that it is loaded when it is another one, and read when
// its server does not say so.
func TestUnchangedFile(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	conn := i.connect(t)
	old := "id,note\n" + strings.Repeat("1,"+strings.Repeat("x", 1000)+"\n", 20_000)
	file := shelve(t, old)
	load := func(fields map[string]any) (job, result) {
		t.Helper()
		fields["url"], fields["skip_unchanged"] = file.url, true
		j := i.awaitState(t, i.submit(t, fields).ID, "succeeded")
		return j, got[result](t, i, j.Links.Result)
	}
	first, made := load(map[string]any{"table": "stock"})
	if made.Outcome != "loaded" || made.Rows != 20_000 || made.UnchangedSince != "" {
		t.Fatalf("the result is %+v", made)
	}
	unchanged := func(since job, j job, r result) {
		t.Helper()
		if r.JobID != j.ID || r.Outcome != "unchanged" || r.UnchangedSince != since.ID || r.Rows != 0 || r.Table != since.Table ||
			r.Bytes != int64(len(old)) || r.Checksum != made.Checksum || len(r.Columns) != 2 {
			t.Errorf("the result is %+v, want unchanged since %s", r, since.ID)
		}
		if j.Table != since.Table || j.Progress.Phase != "done" || j.Progress.Rows != 0 || j.Progress.Percent == nil || *j.Progress.Percent != 100 {
			t.Errorf("the job is %+v", j)
		}
	}
	for range 2 { // neither job makes the table anew
		file.become(old, false)
		j, r := load(map[string]any{"table": "stock", "priority": "urgent"})
		unchanged(first, j, r)
		if sent := file.bytes(); sent > len(old)/2 || j.Progress.Bytes != 0 {
			t.Errorf("sent are %d of %d bytes, and read %d", sent, len(old), j.Progress.Bytes)
		}
	}
	file.become(old, true)
	j, r := load(map[string]any{"table": "stock", "mode": "append"})
	unchanged(first, j, r)
	if j.Progress.Bytes != int64(len(old)) {
		t.Errorf("%d of %d bytes were read", j.Progress.Bytes, len(old))
	}
	derived, _ := load(map[string]any{})
	j, r = load(map[string]any{})
	unchanged(derived, j, r)

	file.become("id,note\n1,x\n", false)
	if _, r := load(map[string]any{"table": "stock", "mode": "replace"}); r.Outcome != "loaded" || r.Rows != 1 {
		t.Errorf("of another file the result is %+v", r)
	}
	if rows := column[int64](t, conn, `SELECT count(*) FROM stock`); rows[0] != 1 {
		t.Errorf("there are %d rows", rows[0])
	}
	if made := strings.Join(tables(t, conn), " "); made != "stock "+derived.Table {
		t.Errorf("the tables are %s", made)
	}
	expectNoStaging(t, conn)
}
