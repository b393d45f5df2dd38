package ingester_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester"
)

// fragile serves a file that breaks off, in each of the first answers after so many bytes of the file.
type fragile struct {
	url      string
	breaks   []int
	ranges   bool // whether a part can be asked for
	noEdges  bool // whether the server says neither how long the file is nor which version
	modified time.Time

	mu      sync.Mutex
	content string
	asked   []string // the ranges
	sent    int      // bytes
}

func breaking(t testing.TB, content string, f *fragile) *fragile {
	t.Helper()
	f.content, f.modified = content, time.Now().Add(-time.Hour)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL + "/file.csv"
	return f
}

func (f *fragile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	content, n := f.content, len(f.asked)
	f.asked = append(f.asked, r.Header.Get("Range"))
	f.mu.Unlock()
	if !f.noEdges {
		sum := sha256.Sum256([]byte(content))
		w.Header().Set("ETag", strconv.Quote(hex.EncodeToString(sum[:8])))
	}
	if !f.ranges {
		r.Header.Del("Range")
	}
	until := len(content)
	if n < len(f.breaks) {
		until = f.breaks[n]
	}
	file := &cutFile{Reader: strings.NewReader(content), until: int64(until)}
	if f.noEdges {
		f.count(w.Write([]byte(content[:until])))
	} else {
		http.ServeContent(w, r, "", f.modified, file)
		f.count(int(file.read), nil)
	}
	if until < len(content) {
		panic(http.ErrAbortHandler)
	}
}

func (f *fragile) count(n int, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent += n
}

func (f *fragile) become(content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content = content
}

func (f *fragile) was() (asked []string, sent int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, f.sent
}

// cutFile cannot be read beyond a place.
type cutFile struct {
	*strings.Reader
	until, read int64
}

func (c *cutFile) Read(p []byte) (int, error) {
	at := c.Size() - int64(c.Len())
	if at >= c.until {
		return 0, fmt.Errorf("cut at byte %d", c.until)
	}
	n, err := c.Reader.Read(p[:min(int64(len(p)), c.until-at)])
	c.read += int64(n)
	return n, err
}

func bigFile(rows int) string {
	head, tail := numbered(rows)
	return head + tail
}

// oneByOne commits batches in their order.
func oneByOne(c *ingester.Config, _ *ingester.Parts) { c.Connections = 1 }

// TestAttemptsGoOn breaks a file off again and again, and holds that each attempt goes on where the one before had come to,
// that the dataset is the file's and the checksum that of all its bytes.
func TestAttemptsGoOn(t *testing.T) {
	t.Parallel()
	const rows = 400_000
	content := bigFile(rows)
	size := len(content)
	for name, tt := range map[string]struct {
		*fragile
		sent int // bytes at most
	}{
		"by ranges":         {&fragile{ranges: true, breaks: []int{size / 3, size * 2 / 3, size * 9 / 10}}, size * 11 / 10},
		"from the start":    {&fragile{breaks: []int{size / 3, size * 2 / 3}}, size*2 + 4096},
		"without a version": {&fragile{noEdges: true, breaks: []int{size / 2}}, size * 3 / 2},
		"at the last byte":  {&fragile{ranges: true, breaks: []int{size - 1}}, size * 105 / 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			f := breaking(t, content, tt.fragile)
			e.start("w1", oneByOne)
			job := e.submit(newJob(f.url))
			end := e.awaitEnd(job, events.StateSucceeded, rows)
			result := end.Data.(events.Succeeded).Result
			sum := sha256.Sum256([]byte(content))
			if result.Checksum != "sha256:"+hex.EncodeToString(sum[:]) || result.Bytes != int64(size) || result.Rows != rows {
				t.Errorf("the result is %+v", result)
			}
			last := f.breaks[len(f.breaks)-1]
			if result.ResumedFrom < int64(last)*99/100 || result.ResumedFrom > int64(last) {
				t.Errorf("resumed from byte %d, and it had broken off at %d", result.ResumedFrom, last)
			}
			asked, sent := f.was()
			if len(asked) != len(f.breaks)+1 || sent > tt.sent {
				t.Errorf("asked for %q and was sent %d bytes of a file of %d", asked, sent, size)
			}
			for _, r := range asked[1:] {
				if (r != "") == f.noEdges {
					t.Errorf("asked for %q", asked)
				}
			}
		})
	}
}

// TestChangedSourceIsLoadedAnew changes a file between two attempts.
func TestChangedSourceIsLoadedAnew(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	content := bigFile(rows)
	for name, f := range map[string]*fragile{
		"by ranges":         {ranges: true},
		"from the start":    {},
		"without a version": {noEdges: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			f.breaks = []int{len(content) / 2}
			breaking(t, content, f)
			e.start("w1", oneByOne, backoff(400*time.Millisecond))
			job := e.submit(newJob(f.url))
			e.await(job, events.TypeRetrying)
			if e.batches(job) == 0 {
				t.Fatal("nothing was committed")
			}
			f.become(strings.ReplaceAll(content, "the text of a row", "another text here"))
			end := e.awaitEnd(job, events.StateSucceeded, rows)
			if r := end.Data.(events.Succeeded).Result; r.ResumedFrom != 0 {
				t.Errorf("resumed from byte %d", r.ResumedFrom)
			}
			var texts int64
			err := e.sql.QueryRow(e.ctx, `SELECT count(DISTINCT text) FROM "`+job.Spec.Table+`"`).Scan(&texts)
			if err != nil || texts != 1 {
				t.Errorf("the dataset has rows of %d versions (%v)", texts, err)
			}
		})
	}
}

// TestAttemptsThatComeFurtherDoNotCount breaks a file off more often than a job may fail in a row.
func TestAttemptsThatComeFurtherDoNotCount(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	content := bigFile(rows)
	var breaks []int
	for n := range 8 {
		breaks = append(breaks, len(content)*(n+1)/9)
	}
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: breaks})
	e.start("w1", oneByOne, attempts(2))
	job := e.submit(newJob(f.url))
	if end := e.awaitEnd(job, events.StateSucceeded, rows); end.Attempt != 9 {
		t.Errorf("ended as %+v", end.Position)
	}
}

// TestLittleByLittle has a server that never sends as much as makes a batch, and holds that each attempt goes on where the one
// before had come to all the same.
func TestLittleByLittle(t *testing.T) {
	t.Parallel()
	const rows, pieces = 200_000, 12
	content := bigFile(rows)
	var breaks []int
	for n := range pieces - 1 {
		breaks = append(breaks, len(content)*(n+1)/pieces)
	}
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: breaks})
	e.start("w1", attempts(2), func(c *ingester.Config, _ *ingester.Parts) { c.BatchBytes = 8 << 20 })
	job := e.submit(newJob(f.url))
	e.awaitEnd(job, events.StateSucceeded, rows)
	asked, sent := f.was()
	if len(asked) != pieces || sent > len(content)*13/10 {
		t.Errorf("asked for %q and was sent %d bytes of a file of %d", asked, sent, len(content))
	}
}

// TestAttemptsThatComeNoFurtherCount breaks a file off at the same place all the time.
func TestAttemptsThatComeNoFurtherCount(t *testing.T) {
	t.Parallel()
	content := bigFile(50_000)
	half := len(content) / 2
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: []int{half, half, half, half, half, half, half}})
	e.start("w1", oneByOne, attempts(3))
	job := e.submit(newJob(f.url))
	end := e.awaitEnd(job, events.StateFailed, 0)
	if why := failure(end); why.Code != events.CodeAttemptsExhausted || end.Attempt != 4 {
		t.Errorf("ended as %+v with %+v", end.Position, why)
	}
}

// TestResumedJobTellsOfTheWholeFile holds that what an attempt has found out and counted outlives it.
func TestResumedJobTellsOfTheWholeFile(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a report\nn;text\n")
	for n := 1; n <= 60_000; n++ {
		text := ";the text of a row"
		switch n {
		case 50, 55_000:
			text = "" // short
		case 60, 56_000:
			text = ";a NUL \x00" // bad
		}
		b.WriteString(strconv.Itoa(n) + text + "\n")
	}
	content := b.String()
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: []int{len(content) / 2, len(content) * 3 / 4}})
	e.start("w1", oneByOne)
	job := e.submit(newJob(f.url, func(s *events.Spec) { s.MaxBadRows = events.BadRows{Count: 2} }))
	end := e.awaitEnd(job, events.StateSucceeded, 59_998)
	got := end.Data.(events.Succeeded)
	want := []events.Warning{
		{Code: events.WarnTitleLines, Count: 1, Lines: []int64{1}}, {Code: events.WarnShortRow, Count: 2, Lines: []int64{52, 55_002}},
	}
	if r := got.Result; !reflect.DeepEqual(r.Warnings, want) || r.Rejected != 2 || r.Dialect.SkipRows != 1 || r.ResumedFrom == 0 {
		t.Errorf("the result is %+v", r)
	}
	if got.Figures.Rows != 59_998 || got.Figures.Rejected != 2 || got.Figures.Bytes != int64(len(content)) {
		t.Errorf("the figures are %+v", got.Figures)
	}
	var lines []int64
	if err := e.sql.QueryRow(e.ctx, "SELECT array_agg(line ORDER BY line) FROM sluice.rejects").Scan(&lines); err != nil ||
		!reflect.DeepEqual(lines, []int64{62, 56_002}) {
		t.Errorf("rejects are of lines %v (%v)", lines, err)
	}
}

// TestBadRowsAreCountedOverAttempts holds that an attempt does not begin to count anew.
func TestBadRowsAreCountedOverAttempts(t *testing.T) {
	t.Parallel()
	content := strings.NewReplacer("\n50,the", "\n50,\x00the", "\n19000,the", "\n19000,\x00the").Replace(bigFile(20_000))
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: []int{len(content) / 2}})
	e.start("w1", oneByOne)
	job := e.submit(newJob(f.url, func(s *events.Spec) { s.MaxBadRows = events.BadRows{Count: 1} }))
	if why := failure(e.awaitEnd(job, events.StateFailed, 0)); why.Code != events.CodeTooManyBadRows ||
		!strings.Contains(why.Message, "line 51") {
		t.Errorf("failed with %+v", why)
	}
}

// TestShutdownCommitsWhatWasRead holds that a worker which is shut down leaves nothing to be read again that has come
// already.
func TestShutdownCommitsWhatWasRead(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	next := make(chan string)
	url := e.serve("n,text\n1,a\n2,b\n", next)
	w := e.start("w1", patient(time.Hour))
	job := e.submit(newJob(url))
	e.awaitStaging()
	next <- "3,c\n4,d\n5,begun"
	e.awaitRead(job, 4)
	begun := time.Now()
	e.end(w)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %s", took)
	}
	e.awaitCommittedRows(job, 4)
	if r := e.register(job); r.Attempt != 0 {
		t.Errorf("the register says %+v", r)
	}
}

// TestWhatABrokenSourceBroughtIsCommitted breaks a file off again and again before a batch is full.
func TestWhatABrokenSourceBroughtIsCommitted(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	content := bigFile(rows)
	var breaks []int
	for n := range 8 {
		breaks = append(breaks, len(content)*(n+1)/9)
	}
	e := newEnv(t)
	f := breaking(t, content, &fragile{ranges: true, breaks: breaks})
	e.start("w1", inOneBatch, attempts(2))
	job := e.submit(newJob(f.url))
	if end := e.awaitEnd(job, events.StateSucceeded, rows); end.Attempt != 9 {
		t.Errorf("ended as %+v", end.Position)
	}
}

// TestSourceThatIsAnotherEachTimeIsGivenUp has a file that is made anew for each answer, and breaks off in all of them.
func TestSourceThatIsAnotherEachTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	content := bigFile(20_000)
	answers := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answers++; answers > 30 {
			w.WriteHeader(http.StatusGone)
			return
		}
		version := strings.ReplaceAll(content, "the text", "text "+strconv.Itoa(answers))
		w.Header().Set("Content-Length", strconv.Itoa(len(version)))
		_, _ = w.Write([]byte(version[:len(version)/2]))
	}))
	t.Cleanup(s.Close)
	e := newEnv(t)
	e.start("w1", oneByOne, attempts(3))
	job := e.submit(newJob(s.URL + "/file.csv"))
	end := e.awaitEnd(job, events.StateFailed, 0)
	if why := failure(end); why.Code != events.CodeAttemptsExhausted || end.Attempt != 4 {
		t.Errorf("ended as %+v with %+v", end.Position, why)
	}
}
