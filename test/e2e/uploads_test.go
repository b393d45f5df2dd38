package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// uploaded is what the API says of a file that was uploaded.
type uploaded struct {
	Upload string `json:"upload"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// upload uploads a file.
func (i *instance) upload(t testing.TB, query, body string, headers ...string) uploaded {
	t.Helper()
	a := i.call(t, http.MethodPost, "/v1/uploads"+query, body, headers...)
	sum := sha256.Sum256([]byte(body))
	u := decoded[uploaded](t, a)
	if a.status != http.StatusCreated || headers == nil && (u.Bytes != int64(len(body)) || u.SHA256 != hex.EncodeToString(sum[:])) {
		t.Fatalf("uploading %d bytes: %d %s", len(body), a.status, a.body)
	}
	return u
}

// TestUploads uploads files as curl does, and loads them.
func TestUploads(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t), "--upload-bytes", "3000000")
	const rows = 300_000
	var file strings.Builder
	file.WriteString("n,text\n")
	for n := range rows {
		fmt.Fprintf(&file, "%d,é\n", n)
	}
	conn, uploads := i.connect(t), i.uploads(t)
	for name, u := range map[string]uploaded{
		"plain":  i.upload(t, "?filename=plain.csv", file.String()[:2_000_000][:strings.LastIndexByte(file.String()[:2_000_000], '\n')+1]),
		"packed": i.upload(t, "?filename=%2Fhome%2Fme%2Fpacked.csv.gz", testenv.Gzip(t, file.String()), "Content-Type: application/x-www-form-urlencoded"),
		"form":   i.uploadForm(t, "form.csv", "n,text\n1,é\n"),
		"latin":  i.upload(t, "?filename=latin.csv", "n,text\n1,\xe9\n", "Content-Type: text/csv; charset=iso-8859-1"),
	} {
		j := i.awaitState(t, i.submit(t, map[string]any{"upload": u.Upload}).ID, "succeeded")
		if j.Source != u.Upload || !strings.HasPrefix(j.Table, name+"_") || j.Progress.Bytes != u.Bytes {
			t.Errorf("%s: %+v of %+v", name, j, u)
		}
		if r := got[result](t, i, j.Links.Result); r.Checksum != "sha256:"+u.SHA256 {
			t.Errorf("%s: the checksum is %s, of the upload %s", name, r.Checksum, u.SHA256)
		}
		if texts := column[string](t, conn, `SELECT DISTINCT text FROM public."`+j.Table+`"`); !slices.Equal(texts, []string{"é"}) {
			t.Errorf("%s: the texts are %q", name, texts)
		}
		if name == "packed" {
			if count := column[int64](t, conn, `SELECT count(DISTINCT n) FROM public."`+j.Table+`"`); count[0] != rows {
				t.Errorf("%d rows are loaded", count[0])
			}
		}
		testenv.Eventually(testenv.Context(t), t, "the upload is removed", func() error {
			if _, err := uploads.Info(testenv.Context(t), strings.TrimPrefix(u.Upload, "upload:")); !errors.Is(err, bus.ErrUploadNotFound) {
				return errors.Join(err, errors.New("it is there"))
			}
			return nil
		})
		a := i.call(t, http.MethodPost, "/v1/jobs", `{"upload":"`+u.Upload+`"}`, "Content-Type: application/json")
		refused(t, a, http.StatusUnprocessableEntity, "upload_not_found")
	}
	refused(t, i.call(t, http.MethodPost, "/v1/uploads", strings.Repeat("a", 3_000_001)), http.StatusRequestEntityTooLarge, "body_too_large")
	refused(t, i.call(t, http.MethodPost, "/v1/uploads", ""), http.StatusBadRequest, "empty_upload")
}

// uploads is the store of uploads.
func (i *instance) uploads(t *testing.T) *bus.Uploads {
	t.Helper()
	nc, err := bus.Connect(i.nats, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := bus.Bind(testenv.Context(t), nc)
	if err != nil {
		t.Fatal(err)
	}
	return b.Uploads
}

func (i *instance) uploadForm(t testing.TB, name, text string) uploaded {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, text)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return i.upload(t, "", body.String(), "Content-Type: "+form.FormDataContentType())
}

// TestUploadsOutliveEverything uploads a file, and then kills and starts all that is between it and its table.
func TestUploadsOutliveEverything(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	i := up(t, dir, "--ingesters", "0")
	u := i.upload(t, "?filename=kept.csv", "n\n1\n2\n")
	id := i.submit(t, map[string]any{"upload": u.Upload, "table": "kept"}).ID
	i.kill()
	i.wait(t, endTime)
	i = up(t, dir)
	i.awaitState(t, id, "succeeded")
	if rows := column[string](t, i.connect(t), `SELECT n FROM public.kept ORDER BY n`); strings.Join(rows, " ") != "1 2" {
		t.Errorf("the rows are %v", rows)
	}
}

// TestUploadsStaySmall uploads and loads a file that is many times larger than the memory that the API and an ingester may
// take for it. It is not parallel: what else is done at the time would slow it down.
func TestUploadsStaySmall(t *testing.T) {
	const size, allowedAPI, allowedIngester = 256 << 20, 64 << 20, 80 << 20
	f := startFleet(t)
	api := run(t, buildPlainly(t, "api"), append(slices.Clone(f.env), "SLUICE_API_ADDR=127.0.0.1:0"))
	worker := run(t, buildPlainly(t, "ingester"), append(slices.Clone(f.env), "SLUICE_WORKER=small", "SLUICE_SLOTS=1"))
	i := f.awaitAPI(t, api)
	line := strings.Repeat("0123456789abcde,", 64)
	piece := strings.Repeat(line[:len(line)-1]+"\n", 1024)
	r, w := io.Pipe()
	go func() {
		for range size / len(piece) {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
		}
		_ = w.Close()
	}()
	request, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, i.api+"/v1/uploads?filename=large.csv", r)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	u := decoded[uploaded](t, answer{body: data})
	if response.StatusCode != http.StatusCreated || u.Bytes != size {
		t.Fatalf("uploading: %d %s", response.StatusCode, data)
	}
	j := i.awaitState(t, i.submit(t, map[string]any{"upload": u.Upload, "csv": map[string]any{"header": false}}).ID, "succeeded")
	if want := int64(size / len(line)); j.Progress.Rows != want {
		t.Errorf("%d rows are loaded, want %d", j.Progress.Rows, want)
	}
	for what, tt := range map[string]struct {
		pid     int
		allowed int64
	}{"API": {api.pid(), allowedAPI}, "ingester": {worker.pid(), allowedIngester}} {
		peak := peakMemory(t, tt.pid)
		t.Logf("the %s took at most %.1f MiB", what, float64(peak)/(1<<20))
		if peak > tt.allowed {
			t.Errorf("the %s took %d MiB, more than %d", what, peak>>20, tt.allowed>>20)
		}
	}
}
