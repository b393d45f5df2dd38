package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

func TestValidation(t *testing.T) {
	e := newEnv(t)
	body := func(field, value string) string { return fmt.Sprintf(`{"url":%q,%q:%s}`, exampleURL, field, value) }
	url := func(v string) string { return fmt.Sprintf(`{"url":%q}`, v) }
	for name, tt := range map[string]struct {
		body     string
		pointers string // of the fields at fault, separated by spaces
	}{
		"no url":                       {`{}`, "/url"},
		"null":                         {`null`, "/url"},
		"empty url":                    {url(""), "/url"},
		"url of another scheme":        {url("ftp://example.com/a.csv"), "/url"},
		"url of a file elsewhere":      {url("file://files.test/a.csv"), "/url"},
		"url of a file with dots":      {url("file:///srv/../etc/passwd"), "/url"},
		"url of a file, relative":      {url("file:a.csv"), "/url"},
		"url of a file with a query":   {url("file:///srv/a.csv?b"), "/url"},
		"url of an upload":             {url("upload:01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e"), "/url"},
		"url and upload":               {body("upload", `"upload:01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e"`), "/upload"},
		"upload without scheme":        {`{"upload":"01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e"}`, "/upload"},
		"upload without id":            {`{"upload":"upload:"}`, "/upload"},
		"upload, oddly spelled":        {`{"upload":"upload:01A1FF9C3F0D7B1A9B570F5A3A6F1D2E"}`, "/upload"},
		"headers of an upload":         {`{"upload":"upload:01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e","headers":{"A":"b"}}`, "/headers"},
		"headers of a file":            {`{"url":"file:///srv/a.csv","headers":{"A":"b"}}`, "/headers"},
		"header without name":          {body("headers", `{"":"a"}`), "/headers/"},
		"header with a bad name":       {body("headers", `{"A b":"a"}`), "/headers/A b"},
		"header with a line end":       {body("headers", `{"A":"a\r\nHost: b"}`), "/headers/A"},
		"header that is null":          {body("headers", `{"A":null}`), "/headers/A"},
		"header of ours":               {body("headers", `{"range":"bytes=1-","Host":"b","If-Match":"c"}`), "/headers/Host /headers/If-Match /headers/range"},
		"header twice":                 {body("headers", `{"X-A":"1","x-a":"2"}`), "/headers/x-a"},
		"authorization twice":          {`{"url":"http://me:pw@example.com/","headers":{"authorization":"x"}}`, "/headers/authorization"},
		"headers too long":             {body("headers", `{"A":"`+strings.Repeat("a", 16<<10)+`"}`), "/headers"},
		"headers too many":             {body("headers", `{"A":"1"`+manyHeaders(20)+`}`), "/headers"},
		"empty member":                 {body("member", `""`), "/member"},
		"member with a line end":       {body("member", `"a\nb"`), "/member"},
		"member too long":              {body("member", `"`+strings.Repeat("a", 1025)+`"`), "/member"},
		"url without a scheme":         {url("example.com/a.csv"), "/url"},
		"url without slashes":          {url("http:a.csv"), "/url"},
		"url without a host":           {url("http:///a.csv"), "/url"},
		"url with a port only":         {url("http://:80/a.csv"), "/url"},
		"url with a colon in its user": {url("http://a%3Ab:pw@example.com/"), "/url"},
		"url with a bad port":          {url("http://example.com:no/a.csv"), "/url"},
		"url with a bad escape":        {url("http://example.com/%zz"), "/url"},
		"url with a space":             {url("http://example.com/a b.csv"), "/url"},
		"url with a line end":          {url("http://example.com/a.csv\r\nHost: other"), "/url"},
		"url with a NUL":               {`{"url":"http://example.com/\u0000"}`, "/url"},
		"url too long":                 {url("http://example.com/" + strings.Repeat("a", 8192)), "/url"},
		"empty table":                  {body("table", `""`), "/table"},
		"table too long":               {body("table", `"`+strings.Repeat("a", 64)+`"`), "/table"},
		"table too long in bytes":      {body("table", `"`+strings.Repeat("ä", 32)+`"`), "/table"},
		"table with a NUL":             {body("table", `"a\u0000b"`), "/table"},
		"table with a line end":        {body("table", `"a\nb"`), "/table"},
		"table named like a staging":   {body("table", `"sluice_staging_x"`), "/table"},
		"unknown priority":             {body("priority", `"high"`), "/priority"},
		"empty priority":               {body("priority", `""`), "/priority"},
		"several fields":               {`{"table":"","priority":"x"}`, "/url /table /priority"},
		"url of the wrong type":        {`{"url":5}`, "/url"},
		"table of the wrong type":      {body("table", `["a"]`), "/table"},
		"unknown field":                {body("tabel", `"a"`), "/tabel"},
		"unknown field, odd name":      {body(`a/b~"c`, `1`), `/a~1b~0"c`},
		"not an object":                {`[]`, ""},
		"a string":                     {`"` + exampleURL + `"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := refused(t, e.call(t, http.MethodPost, "/v1/jobs", tt.body, isJSON), refusal.InvalidRequest)
			var pointers []string
			if p.Errors == nil {
				t.Fatal("no field is named")
			}
			for _, f := range *p.Errors {
				pointers = append(pointers, f.Pointer)
			}
			if got := strings.Join(pointers, " "); got != tt.pointers {
				t.Errorf("fields at fault are %q, want %q", got, tt.pointers)
			}
		})
	}
	e.expectStored(t, 0)
}

func manyHeaders(n int) string {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, `,"X-%d":"1"`, i)
	}
	return list.String()
}

func TestStrictBody(t *testing.T) {
	e := newEnv(t)
	for name, tt := range map[string]struct {
		body, header string
		code         refusal.Code
	}{
		"empty":                  {``, isJSON, refusal.InvalidRequest},
		"cut off":                {`{"url":"http`, isJSON, refusal.InvalidRequest},
		"no JSON":                {`url=http://localhost`, isJSON, refusal.InvalidRequest},
		"not UTF-8":              {`{"url":"http://localhost/\xff"}`, isJSON, refusal.InvalidRequest},
		"two values":             {example + example, isJSON, refusal.InvalidRequest},
		"something behind":       {example + "x", isJSON, refusal.InvalidRequest},
		"form":                   {"url=" + exampleURL, isForm, refusal.UnsupportedMediaType},
		"no media type":          {example, "", refusal.UnsupportedMediaType},
		"broken media type":      {example, "Content-Type: application/", refusal.UnsupportedMediaType},
		"another JSON":           {example, "Content-Type: application/merge-patch+json", refusal.UnsupportedMediaType},
		"too large":              {`{"url":"` + strings.Repeat("a", 2<<20) + `"}`, isJSON, refusal.BodyTooLarge},
		"too large by its blank": {example + strings.Repeat(" ", 2<<20), isJSON, refusal.BodyTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, e.call(t, http.MethodPost, "/v1/jobs", tt.body, tt.header), tt.code)
			whole := struct{ io.Reader }{strings.NewReader(tt.body)} // of a length that is not announced
			refused(t, e.send(t, http.MethodPost, "/v1/jobs", whole, tt.header), tt.code)
		})
	}
	e.expectStored(t, 0)
}

func TestAcceptedBodies(t *testing.T) {
	e := newEnv(t)
	for name, tt := range map[string]struct{ body, header string }{
		"white space around":      {" \n" + example + "\n", isJSON},
		"media type in capitals":  {example, "Content-Type: Application/JSON"},
		"media type with charset": {example, "Content-Type: application/json; charset=utf-8"},
		"longest table":           {`{"url":"` + exampleURL + `","table":"` + strings.Repeat("a", 63) + `"}`, isJSON},
		"table of any script":     {`{"url":"` + exampleURL + `","table":"Поездки \"2024\"; --"}`, isJSON},
		"longest url":             {`{"url":"http://example.com/` + strings.Repeat("a", 8192-19) + `"}`, isJSON},
		"address of IPv6":         {`{"url":"http://[::1]:8000/a.csv"}`, isJSON},
		"scheme in capitals":      {`{"url":"HTTPS://example.com/a.csv"}`, isJSON},
		"file":                    {`{"url":"file:///srv/in/a%20b.csv"}`, isJSON},
		"file of this host":       {`{"url":"file://localhost/srv/in/a.csv"}`, isJSON},
		"headers":                 {`{"url":"` + exampleURL + `","headers":{"authorization":"Bearer x","X-Empty":""}}`, isJSON},
		"no headers":              {`{"url":"` + exampleURL + `","headers":{}}`, isJSON},
		"member":                  {`{"url":"` + exampleURL + `","member":"a/b c.csv","skip_unchanged":true}`, isJSON},
	} {
		t.Run(name, func(t *testing.T) {
			if a := e.call(t, http.MethodPost, "/v1/jobs", tt.body, tt.header); a.status != http.StatusAccepted {
				t.Errorf("answered %d %s", a.status, a.body)
			}
		})
	}
}

// FuzzCreateJob holds that no request is answered as an error of ours, and that none that is refused leaves anything.
func FuzzCreateJob(f *testing.F) {
	for _, body := range []string{example, `{}`, `[`, `null`, `{"url":"http://a:b@c/?d#e","table":"t","priority":"urgent"}`, `{"url":"http://[::1%25en0]/"}`,
		bodyWith(`"csv":{"encoding":"latin1","delimiter":";","quote":"'","escape":"\\","header_rows":1,"skip_rows":2,"comment":"#"},"null":["NA"]`),
		bodyWith(`"column_names":"snake","extra_fields":"reject","max_bad_rows":"2.5%","csv":{"x":1}`)} {
		f.Add([]byte(body), "application/json", "", "")
		f.Add([]byte(body), "application/json", "key", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	}
	f.Add([]byte(`{"upload":"upload:01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e"}`), "application/json", "key", "")
	f.Add([]byte("fileUrl=http://localhost/a;b"), "application/x-www-form-urlencoded", "", "")
	f.Add([]byte("fileUrl=%zz"), "application/x-www-form-urlencoded", "", "x")
	e := newEnv(f)
	e.api.config.Log = slog.New(slog.DiscardHandler)
	handler := e.api.Handler()
	f.Fuzz(func(t *testing.T, body []byte, media, key, trace string) {
		for _, path := range []string{"/v1/jobs", "/download_file"} {
			before := len(e.stored(t, bus.JobsStream))
			a := recorded(t, handler, path, body, map[string]string{"Content-Type": media, "Idempotency-Key": key, "Traceparent": trace})
			if err := described().allows(http.MethodPost, path, a); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if a.status >= http.StatusInternalServerError {
				t.Errorf("%s: answered %d %s", path, a.status, a.body)
			}
			if after := len(e.stored(t, bus.JobsStream)); a.status >= http.StatusBadRequest && after != before {
				t.Errorf("%s: answered %d, and the queue has grown", path, a.status)
			}
		}
	})
}
