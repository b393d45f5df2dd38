package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// ingesterDouble plays an ingester that is asked for previews.
type ingesterDouble struct {
	mu      sync.Mutex
	answer  events.Previewed
	refusal string // error code that every question is answered with
	asked   []events.Preview
}

func (e *env) playIngester(t testing.TB) *ingesterDouble {
	t.Helper()
	d := &ingesterDouble{}
	nc := e.nats.Connect("ingester")
	if _, err := nc.QueueSubscribe(events.SubjectIngesterPreview, "q", func(m *nats.Msg) {
		if err := d.preview(m); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *ingesterDouble) preview(m *nats.Msg) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var question events.Preview
	if err := json.Unmarshal(m.Data, &question); err != nil {
		return err
	}
	d.asked = append(d.asked, question)
	if d.refusal != "" {
		reply := nats.NewMsg(m.Reply)
		reply.Header.Set(micro.ErrorCodeHeader, d.refusal)
		reply.Header.Set(micro.ErrorHeader, "told to fail, by nats://inside")
		return m.RespondMsg(reply)
	}
	data, err := json.Marshal(d.answer)
	if err != nil {
		return err
	}
	return m.Respond(data)
}

// says has it answer so, and returns the questions that it was asked until now.
func (d *ingesterDouble) says(answer events.Previewed, refusal string) []events.Preview {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.answer, d.refusal, d.asked = answer, refusal, nil
	return asked
}

func (e *env) preview(t testing.TB, body string) answer {
	t.Helper()
	return e.call(t, http.MethodPost, "/v1/preview", body, isJSON)
}

func TestPreview(t *testing.T) {
	e := newEnv(t)
	d := e.playIngester(t)
	d.says(events.Previewed{
		Dialect: events.Dialect{Encoding: "UTF-8", Delimiter: ";", Header: true, HeaderRows: 1, LineEnd: events.LineEndLF, Confidence: 0.9},
		Columns: []events.Column{{Original: "N", Name: "n", Type: "smallint", Rule: "case", Form: "t/f"}},
		Rows:    [][]*string{{new("1")}, {nil}}, Warnings: []events.Warning{{Code: events.WarnBadRow, Count: 1, Lines: []int64{3}}},
		FirstBad:    events.Failf(events.CodeNULByte, "line 3").AtPlace(3, 1, 9),
		Compression: "zip", Member: "a.csv", TotalBytes: new(int64(7)), BytesRead: 5, RowsRead: 2, Cut: true,
	}, "")
	a := e.preview(t, `{"url":"https://user:hush@example.org/a.zip?sig=hush","headers":{"X-Key":"hush"},"member":"a.csv",
		"csv":{"delimiter":";"},"null":["-"],"column_names":"snake","rows":2}`)
	want := openapi.Preview{
		Dialect: openapi.Dialect{
			Encoding: "UTF-8", Delimiter: ";", Header: true, HeaderRows: 1, LineEnd: new(openapi.DialectLineEnd("lf")), Confidence: new(0.9),
		},
		Columns:  []openapi.Column{{Original: "N", Name: "n", Type: "smallint", Rule: new("case"), Form: new("t/f")}},
		Rows:     [][]*string{{new("1")}, {nil}},
		Warnings: []openapi.Warning{{Code: "bad_row", Count: 1, Lines: &[]int64{3}}},
		FirstBad: &openapi.JobError{
			Code: "nul_byte", Message: "line 3", Line: new(int64(3)), Column: new(int64(1)), ByteOffset: new(int64(9)),
		},
		Compression: new(openapi.PreviewCompression("zip")), Member: new("a.csv"), TotalBytes: new(int64(7)), BytesRead: 5, RowsRead: 2, Cut: true,
	}
	if got := decoded[openapi.Preview](t, a); a.status != http.StatusOK || !reflect.DeepEqual(got, want) {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	asked := d.says(events.Previewed{}, "")
	if len(asked) != 1 {
		t.Fatalf("asked %d times", len(asked))
	}
	q := asked[0]
	address, err := e.api.sealer.Open(q.ID, q.Spec.Source)
	if err != nil || address.URL != "https://user:hush@example.org/a.zip?sig=hush" || address.Headers["X-Key"] != "hush" {
		t.Errorf("asked about %+v, %v", address, err)
	}
	if text := fmt.Sprintf("%+v", q); strings.Contains(text, "hush") || q.Rows != 2 || q.Spec.Source.Member != "a.csv" ||
		*q.Spec.CSV.Delimiter != ";" || q.Spec.Null[0] != "-" || q.Spec.ColumnNames != events.SnakeNames {
		t.Errorf("asked %s", text)
	}
	if a := e.preview(t, example); a.status != http.StatusOK || !strings.Contains(string(a.body), `"rows":[]`) {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	if asked := d.says(events.Previewed{}, ""); asked[0].Rows != 10 || asked[0].ID == q.ID {
		t.Errorf("asked %+v", asked[0])
	}
	if n := e.messages(t, "JOBS") + e.messages(t, "EVENTS"); n != 0 {
		t.Errorf("previews have left %d messages", n)
	}
}

func TestPreviewsOfNothing(t *testing.T) {
	e := newEnv(t)
	refused(t, e.preview(t, example), refusal.IngesterUnavailable)
	d := e.playIngester(t)
	for _, c := range events.Codes() {
		d.says(events.Previewed{Failure: events.Failf(c, "what it is")}, "")
		p, want := refused(t, e.preview(t, example), refusal.Code(c)), http.StatusUnprocessableEntity
		if other := refusal.Code(c); other.Known() { // which the API refuses otherwise, too
			want = other.Status()
		}
		if p.Detail == nil || *p.Detail != "what it is" || p.Status != want {
			t.Errorf("%s: answered %+v", c, p)
		}
	}
	for _, said := range []string{events.QueryBusy, events.QueryFailed, events.QueryInvalid} {
		d.says(events.Previewed{}, said)
		a := e.preview(t, example)
		refused(t, a, refusal.IngesterUnavailable)
		if strings.Contains(string(a.body), "inside") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: answered %s, %v", said, a.body, a.header)
		}
	}
	d.says(events.Previewed{}, "")
	for body, pointer := range map[string]string{
		`{}`: "/url", `{"url":"ftp://x"}`: "/url", `{"upload":"x"}`: "/upload", `{"url":"http://x/","rows":-1}`: "/rows",
		`{"url":"http://x/","rows":101}`: "/rows", `{"url":"http://x/","rows":"1"}`: "/rows",
		`{"url":"http://x/","table":"t"}`: "/table", `{"url":"http://x/","csv":{"quote":"ab"}}`: "/csv/quote",
		`{"url":"http://x/","null":[null]}`: "/null/0", `{"url":"http://x/","headers":{"a:b":""}}`: "/headers/a:b",
		`{"url":"http://x/","column_names":"camel"}`: "/column_names", `{"url":"http://x/","member":""}`: "/member",
	} {
		p := refused(t, e.preview(t, body), refusal.InvalidRequest)
		if p.Errors == nil || (*p.Errors)[0].Pointer != pointer {
			t.Errorf("%s: answered %+v", body, p.Errors)
		}
	}
	refused(t, e.call(t, http.MethodPost, "/v1/preview", example), refusal.UnsupportedMediaType)
	if asked := d.says(events.Previewed{}, ""); len(asked) != 0 {
		t.Errorf("asked %+v", asked)
	}
}

// TestPreviewWithoutKey holds that nothing secret is sent where there is no key to seal it with.
func TestPreviewWithoutKey(t *testing.T) {
	e := newEnvWith(t, seal.Sealer{})
	d := e.playIngester(t)
	refused(t, e.preview(t, `{"url":"http://example.org/?sig=hush"}`), refusal.SecretKeyMissing)
	if asked := d.says(events.Previewed{}, ""); len(asked) != 0 {
		t.Errorf("asked %+v", asked)
	}
}
