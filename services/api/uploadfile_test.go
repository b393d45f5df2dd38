package api

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

const isMultipart = "Content-Type: multipart/form-data; boundary=x"

// form is a form of parts in the form "header|content", as curl -F sends it.
func form(parts ...string) string {
	var text strings.Builder
	for _, part := range parts {
		header, content, _ := strings.Cut(part, "|")
		fmt.Fprintf(&text, "--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", header, content)
	}
	return text.String() + "--x--\r\n"
}

// TestWhatCurlMakesOfAFile holds that text which curl has put into one line is refused, and nothing else that it sends is.
func TestWhatCurlMakesOfAFile(t *testing.T) {
	e := newEnv(t)
	for _, body := range []string{"id,name1,a2,b", "trips.csv"} { // of -d @trips.csv, and of --data-binary trips.csv
		for _, body := range []io.Reader{strings.NewReader(body), struct{ io.Reader }{strings.NewReader(body)}} {
			refused(t, e.send(t, http.MethodPost, "/v1/uploads", body, isForm), refusal.NotAFile)
		}
		e.upload(t, "", strings.NewReader(body), isCSV)
	}
	e.expectUploads(t, 4) // a chunk and an entry for each of the two that were not refused
	for _, body := range []string{"id,name\n1,a", "id\r1", "\x1f\x8b\x08", "PK\x03\x04"} {
		e.upload(t, "", strings.NewReader(body), isForm)
	}
}

func TestUploadByForm(t *testing.T) {
	e := newEnv(t)
	large := strings.Repeat("-x\r\n--y--\r\n\r\n--", 100_000)
	for name, tt := range map[string]struct {
		query, body string
		want        bus.Upload
		content     string
	}{
		"a file":                 {"", form(`name="file"; filename="trips.csv"|` + "a\n1\n"), bus.Upload{Name: "trips.csv"}, "a\n1\n"},
		"with a media type":      {"", form("name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv; charset=latin1|a"), bus.Upload{Name: "a.csv", MediaType: "text/csv; charset=latin1"}, "a"},
		"named by the query too": {"?filename=b.csv", form(`name="file"; filename="a.csv"|a`), bus.Upload{Name: "b.csv"}, "a"},
		"with a path":            {"", form(`name="file"; filename="../in/a.csv"|a`), bus.Upload{Name: "a.csv"}, "a"},
		"among fields":           {"", form(`name="x"|1`, `name="file"; filename="a.csv"|a`, `name="y"|2`), bus.Upload{Name: "a.csv"}, "a"},
		"with a preamble":        {"", "hello\r\n" + form(`name="file"; filename="a.csv"|a`), bus.Upload{Name: "a.csv"}, "a"},
		"large":                  {"", form(`name="file"; filename="a.csv"|` + large), bus.Upload{Name: "a.csv"}, large},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []io.Reader{strings.NewReader(tt.body), struct{ io.Reader }{strings.NewReader(tt.body)}} {
				u := e.upload(t, tt.query, body, isMultipart)
				if u.Name != tt.want.Name || u.MediaType != tt.want.MediaType {
					t.Errorf("kept is %+v, want %+v", u, tt.want)
				}
				if !bytes.Equal(e.kept(t, u), []byte(tt.content)) {
					t.Error("kept is something else")
				}
			}
		})
	}
}

func TestRefusedForms(t *testing.T) {
	e := newEnv(t)
	e.api.config.UploadBytes = 1 << 20
	whole := form(`name="file"; filename="a.csv"|`+strings.Repeat("a", 1000), `name="x"|1`)
	for name, tt := range map[string]struct {
		header, body string
		code         refusal.Code
	}{
		"no file":                    {isMultipart, form(`name="x"|1`), refusal.InvalidRequest},
		"no part":                    {isMultipart, "--x--\r\n", refusal.InvalidRequest},
		"no file chosen":             {isMultipart, form(`name="file"; filename=""|`), refusal.InvalidRequest},
		"two files":                  {isMultipart, form(`name="file"; filename="a.csv"|a`, `name="file"; filename="b.csv"|b`), refusal.InvalidRequest},
		"empty file":                 {isMultipart, form(`name="file"; filename="a.csv"|`), refusal.EmptyUpload},
		"name too long":              {isMultipart, form(`name="file"; filename="` + strings.Repeat("a", 256) + `"|a`), refusal.InvalidRequest},
		"no boundary":                {"Content-Type: multipart/form-data", whole, refusal.InvalidRequest},
		"another boundary":           {"Content-Type: multipart/form-data; boundary=y", whole, refusal.InvalidRequest},
		"empty":                      {isMultipart, "", refusal.InvalidRequest},
		"broken off in a header":     {isMultipart, whole[:30], refusal.InvalidRequest},
		"broken off in the file":     {isMultipart, whole[:500], refusal.UploadIncomplete},
		"broken off in the boundary": {isMultipart, whole[:strings.Index(whole, "aa\r\n--x")+6], refusal.UploadIncomplete},
		"headers that are none":      {isMultipart, "--x\r\n\x00\r\n\r\na\r\n--x--\r\n", refusal.InvalidRequest},
		"too large":                  {isMultipart, form(`name="file"; filename="a.csv"|` + strings.Repeat("a", 1<<20)), refusal.BodyTooLarge},
		"too large before the file":  {isMultipart, form(`name="x"|`+strings.Repeat("a", 1<<20), `name="file"; filename="a.csv"|a`), refusal.BodyTooLarge},
		"too large behind the file":  {isMultipart, form(`name="file"; filename="a.csv"|a`, `name="x"|`+strings.Repeat("a", 1<<20)), refusal.BodyTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []io.Reader{strings.NewReader(tt.body), struct{ io.Reader }{strings.NewReader(tt.body)}} {
				refused(t, e.send(t, http.MethodPost, "/v1/uploads", body, tt.header), tt.code)
			}
		})
	}
	e.expectUploads(t, 0)
}

// FuzzCreateUpload holds that no upload is answered as an error of ours, and that none that is refused leaves anything.
func FuzzCreateUpload(f *testing.F) {
	f.Add([]byte("a\n1\n"), "text/csv", "trips.csv")
	f.Add([]byte("a=%zz;"), "application/x-www-form-urlencoded", "")
	f.Add([]byte(""), "", "../../etc/passwd")
	for _, body := range []string{
		form(`name="file"; filename="a.csv"|a`), form(`name="x"|1`, `name="file"; filename="a.csv"|a`), "--x\r\n", "--x--\r\n",
		form("name=\"file\"; filename*=utf-8''%e2%80%ae\r\nContent-Transfer-Encoding: quoted-printable|=zz"),
	} {
		f.Add([]byte(body), "multipart/form-data; boundary=x", "")
		f.Add([]byte(body), "multipart/form-data; boundary=\"", "%00")
	}
	e := newEnv(f)
	e.api.config.Log = slog.New(slog.DiscardHandler)
	handler := e.api.Handler()
	f.Fuzz(func(t *testing.T, body []byte, media, name string) {
		before := e.messages(t, bus.UploadsStream)
		a := recorded(t, handler, "/v1/uploads?filename="+url.QueryEscape(name), body, map[string]string{"Content-Type": media})
		if err := described().allows(http.MethodPost, "/v1/uploads", a); err != nil {
			t.Error(err)
		}
		if a.status >= http.StatusInternalServerError {
			t.Errorf("answered %d %s", a.status, a.body)
		}
		if after := e.messages(t, bus.UploadsStream); a.status >= http.StatusBadRequest && after != before || a.status == http.StatusCreated && after == before {
			t.Errorf("answered %d, and %d messages have become %d", a.status, before, after)
		}
	})
}
