package ingester_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester"
	"sluice/services/ingester/source"
)

// gzipped compresses a text so that its rows are spread evenly over the file.
func gzipped(t testing.TB, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.HuffmanOnly)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func zipped(t testing.TB, members ...string) string {
	t.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for i := 0; i < len(members); i += 2 {
		to, err := w.Create(members[i])
		if err == nil {
			_, err = to.Write([]byte(members[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// TestCompressedSourceGoesOn breaks a compressed file off again and again: each attempt reads it from its start and commits only
// what is missing.
func TestCompressedSourceGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	content := gzipped(t, bigFile(rows))
	size := len(content)
	for name, f := range map[string]*fragile{
		"with a version":    {ranges: true, breaks: []int{size / 3, size * 2 / 3}},
		"without a version": {noEdges: true, breaks: []int{size / 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			breaking(t, content, f)
			e.start("w1", oneByOne)
			job := e.submit(newJob(f.url))
			succeeded := e.awaitEnd(job, events.StateSucceeded, rows).Data.(events.Succeeded)
			result, sum := succeeded.Result, sha256.Sum256([]byte(content))
			if result.Checksum != "sha256:"+hex.EncodeToString(sum[:]) || result.Bytes != int64(size) || result.Compression != "gzip" {
				t.Errorf("the result is %+v", result)
			}
			if result.ResumedFrom < int64(len(bigFile(rows)))/4 {
				t.Errorf("resumed from byte %d of the text", result.ResumedFrom)
			}
			if f := succeeded.Figures; f.Bytes != int64(size) || *f.TotalBytes != int64(size) {
				t.Errorf("the figures are %+v", f)
			}
			asked, _ := f.was()
			if strings.Join(asked, "") != "" {
				t.Errorf("parts were asked for: %q", asked)
			}
			for _, event := range e.history(job) {
				if p, ok := event.Data.(events.Progress); ok && p.Figures.TotalBytes != nil && p.Figures.Bytes > *p.Figures.TotalBytes {
					t.Errorf("progress tells of %d bytes of %d", p.Figures.Bytes, *p.Figures.TotalBytes)
				}
			}
		})
	}
}

// TestSourceIsCompressedMeanwhile goes on with a text that broke off, and comes compressed then: its bytes are counted as they are
// sent now.
func TestSourceIsCompressedMeanwhile(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	text := bigFile(rows)
	packed := gzipped(t, text)
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 1 {
			_, _ = w.Write([]byte(packed))
			return
		}
		_, _ = w.Write([]byte(text[:len(text)-1000]))
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(s.Close)
	e := newEnv(t)
	e.start("w1", oneByOne)
	job := e.submit(newJob(s.URL + "/trips.csv"))
	end := e.awaitEnd(job, events.StateSucceeded, rows).Data.(events.Succeeded)
	if r := end.Result; r.ResumedFrom == 0 || r.Compression != "gzip" || r.Bytes != int64(len(packed)) || end.Figures.Bytes != r.Bytes {
		t.Errorf("of %d bytes, the result is %+v", len(packed), r)
	}
}

// TestArchives loads members of archives, and refuses those of which it cannot be told what to load.
func TestArchives(t *testing.T) {
	t.Parallel()
	one, two := "n,text\n1,a\n", "n,text\n1,a\n2,b\n"
	url := testenv.Files(t, map[string]string{
		"/one.zip": zipped(t, "readme.txt", "x", "a/trips.csv", two), "/two.zip": zipped(t, "a.csv", one, "b.csv", two),
		"/nul.csv.gz": gzipped(t, "n,text\n1,a\x00\n"), "/twice.csv.gz": gzipped(t, gzipped(t, one)), "/broken.csv.gz": gzipped(t, two)[:30],
	})
	for name, tt := range map[string]struct {
		path, member string
		rows         int64
		code         events.Code
	}{
		"one CSV":              {"/one.zip", "", 2, ""},
		"named":                {"/two.zip", "b.csv", 2, ""},
		"two CSVs":             {"/two.zip", "", 0, events.CodeMemberAmbiguous},
		"named, not there":     {"/two.zip", "c.csv", 0, events.CodeMemberNotFound},
		"no text":              {"/nul.csv.gz", "", 0, events.CodeNULByte},
		"compressed twice":     {"/twice.csv.gz", "", 0, events.CodeNotCSV},
		"cut before it was up": {"/broken.csv.gz", "", 0, events.CodeSourceCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1")
			job := e.submit(newJob(url+tt.path, func(s *events.Spec) { s.Source.Member = tt.member }))
			if tt.code != "" {
				why := failure(e.awaitEnd(job, events.StateFailed, 0))
				if why.Code != tt.code || why.Code == events.CodeNULByte && !strings.Contains(why.Message, "gzip data is damaged") {
					t.Errorf("failed with %+v", why)
				}
				return
			}
			result := e.awaitEnd(job, events.StateSucceeded, tt.rows).Data.(events.Succeeded).Result
			if result.Compression != "zip" || !strings.HasSuffix(result.Member, ".csv") {
				t.Errorf("the result is %+v", result)
			}
		})
	}
}

// TestHeadersOfAJob holds that a job's headers reach its server, and that they are of no use to another job.
func TestHeadersOfAJob(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-Tenant") != "one" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="Trips 2026.csv"`)
		_, _ = w.Write([]byte("n\n1\n"))
	}))
	t.Cleanup(s.Close)
	key := sealer(t, seal.NewKey())
	e := newEnv(t)
	e.start("w1", func(_ *ingester.Config, p *ingester.Parts) { p.Sealer = key })
	job := newJob("", func(s *events.Spec) { s.Table = "" })
	address, err := url.Parse(s.URL + "/export")
	if err == nil {
		job.Spec.Source, err = key.Source(job.ID, address, map[string]string{"Authorization": "Bearer secret", "X-Tenant": "one"})
	}
	if err != nil {
		t.Fatal(err)
	}
	e.submit(job)
	e.awaitOff()
	result := e.await(job, events.TypeSucceeded).Data.(events.Succeeded).Result
	if result.Rows != 1 || !strings.HasPrefix(result.Table, "Trips_2026_") {
		t.Errorf("the result is %+v", result)
	}
	bare := e.submit(newJob(s.URL + "/export"))
	if why := failure(e.await(bare, events.TypeFailed)); why.Code != events.CodeSourceRefused {
		t.Errorf("failed with %+v", why)
	}
}

// TestFilesOfFolders loads a file of a folder that is open, and none of another one.
func TestFilesOfFolders(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	path := filepath.Join(dir, "in", "a b.csv")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(bigFile(1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnv(t)
	e.start("w1", func(_ *ingester.Config, p *ingester.Parts) {
		config := source.DefaultConfig()
		config.Folders = []string{filepath.Join(dir, "in")}
		opener, err := source.New(config)
		if err != nil {
			t.Fatal(err)
		}
		p.Source = opener
	})
	e.awaitEnd(e.submit(newJob("file://"+dir+"/in/a%20b.csv")), events.StateSucceeded, 1000)
	outside := e.submit(newJob("file://" + dir + "/out/b.csv"))
	if why := failure(e.await(outside, events.TypeFailed)); why.Code != events.CodeSourceForbidden {
		t.Errorf("failed with %+v", why)
	}
}

// TestInferredTypesOutliveAnAttempt breaks a file off behind whole numbers: what comes then makes them another type.
func TestInferredTypesOutliveAnAttempt(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	content := strings.Replace(bigFile(rows), "\n30000,the text of a row\n", "\n30000.50,the text of a row\n", 1)
	half := strings.Index(content, "\n20000,")
	for name, tt := range map[string]struct {
		content, want string
	}{
		"numeric later":   {content, "numeric"},
		"numeric before":  {strings.Replace(content, "\n10000,", "\n10000.5,", 1), "numeric"},
		"a zero in front": {strings.Replace(content, "\n59999,", "\n059999,", 1), "text"},
		"nothing of that": {bigFile(rows), "integer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			f := breaking(t, tt.content, &fragile{ranges: true, breaks: []int{half}})
			e.start("w1")
			job := e.submit(newJob(f.url, func(s *events.Spec) { s.Types.Infer = true }))
			result := e.awaitEnd(job, events.StateSucceeded, rows).Data.(events.Succeeded).Result
			if result.ResumedFrom == 0 || result.Columns[0].Type != tt.want || result.Columns[1].Type != "text" {
				t.Errorf("resumed from %d, the columns are %+v", result.ResumedFrom, result.Columns)
			}
		})
	}
}
