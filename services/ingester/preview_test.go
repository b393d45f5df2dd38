package ingester_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester"
)

// aboutURL asks how a file would be read.
func aboutURL(url string, changes ...func(*events.Spec)) events.Preview {
	spec := events.Spec{Source: events.Source{URL: url}}
	for _, change := range changes {
		change(&spec)
	}
	return events.Preview{ID: uuid.NewString(), Spec: spec, Rows: 3}
}

func (e *env) preview(question events.Preview) events.Previewed {
	e.t.Helper()
	found, code := ask[events.Previewed](e, events.SubjectIngesterPreview, question)
	if code != "" {
		e.t.Fatalf("refused with %s", code)
	}
	return found
}

// expectFailure asks for a preview that cannot be made.
func (e *env) expectFailure(question events.Preview, want events.Code) events.Failure {
	e.t.Helper()
	found := e.preview(question)
	if found.Failure == nil || found.Failure.Code != want || found.Failure.Message == "" || found.Columns != nil {
		e.t.Fatalf("answered is %+v with %v, want %s", found, found.Failure, want)
	}
	return *found.Failure
}

// described is a preview in short.
func described(p events.Previewed) string {
	var b strings.Builder
	d := p.Dialect
	fmt.Fprintf(&b, "%s %q %s %d:", d.Encoding, d.Delimiter, d.LineEnd, d.HeaderRows)
	for _, c := range p.Columns {
		fmt.Fprintf(&b, " %s %s", c.Name, c.Type)
	}
	for _, row := range p.Rows {
		b.WriteString(" /")
		for _, value := range row {
			if value == nil {
				b.WriteString(" NULL")
			} else {
				fmt.Fprintf(&b, " %q", *value)
			}
		}
	}
	return b.String()
}

func TestPreviews(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	const text = "n;when;name\n1;2024-01-01 10:00:00;Zürich\n2;2024-01-02 11:30:00;\n3;2024-01-03 12:00:00;Łódź\n"
	const small = `UTF-8 ";" lf 1: n smallint when timestamp without time zone name text / ` +
		`"1" "2024-01-01 10:00:00" "Zürich" / "2" "2024-01-02 11:30:00" NULL / "3" "2024-01-03 12:00:00" "Łódź"`
	type of struct {
		content, want string
		rows          int64
		change        func(*events.Spec)
		check         func(events.Previewed) bool
	}
	files := map[string]of{
		"plain": {content: text, want: small, rows: 3, check: func(p events.Previewed) bool {
			return p.TotalBytes != nil && *p.TotalBytes == int64(len(text)) && p.Compression == "" && len(p.Warnings) == 0
		}},
		"gzip": {content: testenv.Gzip(t, text), want: small, rows: 3, check: func(p events.Previewed) bool {
			return p.Compression == "gzip" && *p.TotalBytes != p.BytesRead
		}},
		"zip": {content: zipped(t, "read.me", "nothing", "rows.csv", text), want: small, rows: 3, check: func(p events.Previewed) bool {
			return p.Compression == "zip" && p.Member == "rows.csv"
		}},
		"a member of several": {
			content: zipped(t, "a.csv", "x\n1\n", "b.csv", text), want: small, rows: 3,
			change: func(s *events.Spec) { s.Source.Member = "b.csv" },
		},
		"UTF-16": {content: coded("\ufeff"+text, true), want: strings.Replace(small, "UTF-8", "UTF-16LE", 1), rows: 3},
		"windows-1252": {
			content: "n,text\n1,Z\xfcrich and so on\n2,caf\xe9\n", rows: 2,
			want: `windows-1252 "," lf 1: n smallint text text / "1" "Zürich and so on" / "2" "café"`,
		},
		"CR": {content: "n,m\r1,2.50\r2,3\r", want: `UTF-8 "," cr 1: n smallint m numeric / "1" "2.50" / "2" "3"`, rows: 2},
		"names in snake case": {
			content: "Trip Id,Start\n1,T\n", want: `UTF-8 "," lf 1: trip_id smallint start text / "1" "T"`, rows: 1,
			change: func(s *events.Spec) { s.ColumnNames, s.CSV.Header = events.SnakeNames, new(true) },
		},
		"other NULLs": {
			content: "a,b\n1,-\n-,\n", want: `UTF-8 "," lf 1: a smallint b text / "1" NULL / NULL ""`, rows: 2,
			change: func(s *events.Spec) { s.Null, s.CSV.Header = []string{"-"}, new(true) },
		},
		"header only": {
			content: "a,b\n", want: `UTF-8 "," lf 1: a text b text`, change: func(s *events.Spec) { s.CSV.Header = new(true) },
		},
		"no header": {content: "1,2\n3,4\n", want: `UTF-8 "," lf 0: column_1 smallint column_2 smallint / "1" "2" / "3" "4"`, rows: 2},
		"bad rows": {
			content: "a,b\n1,x\n2,\x00\n3,y\n4,\"z\x00\"\n", rows: 2, want: `UTF-8 "," lf 1: a smallint b text / "1" "x" / "3" "y"`,
			change: func(s *events.Spec) { s.CSV.Header, s.CSV.Encoding = new(true), "utf-8" },
			check: func(p events.Previewed) bool {
				return fmt.Sprint(p.Warnings) == "[{bad_row 2 [3 5]}]" && p.FirstBad.Code == events.CodeNULByte && p.FirstBad.Line == 3 && p.FirstBad.Column == 2
			},
		},
		"short and long rows": {
			content: "a,b\n1\n2,3,4\n5,6\n", rows: 3, want: `UTF-8 "," lf 1: a smallint b smallint / "1" NULL / "2" "3" / "5" "6"`,
			change: func(s *events.Spec) { s.CSV.Header, s.CSV.Delimiter = new(true), new(",") },
			check: func(p events.Previewed) bool {
				return fmt.Sprint(p.Warnings) == "[{short_row 1 [2]} {extra_fields 1 [3]}]" && p.FirstBad == nil
			},
		},
		"long values": {
			content: "a,b\n1," + strings.Repeat("ü", 700) + "\n", rows: 1,
			want: `UTF-8 "," lf 1: a smallint b text / "1" ` + strconv.Quote(strings.Repeat("ü", 500)),
			check: func(p events.Previewed) bool {
				cut := p.Cut
				p.Cut = false
				return cut
			},
		},
	}
	web := testenv.StartWeb(t)
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			question := aboutURL(web.On("/"+strings.ReplaceAll(name, " ", "-"), testenv.File(file.content)))
			if file.change != nil {
				file.change(&question.Spec)
			}
			got := e.preview(question)
			if described(got) != file.want || got.Failure != nil {
				t.Errorf("answered is %s (%v), want\n%s", described(got), got.Failure, file.want)
			}
			if !got.Complete || got.RowsRead != file.rows || got.Cut != (name == "long values") {
				t.Errorf("%d rows, complete %t, cut %t", got.RowsRead, got.Complete, got.Cut)
			}
			if file.check != nil && !file.check(got) {
				t.Errorf("answered is %+v", got)
			}
		})
	}
}

func TestPreviewsOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	web := testenv.StartWeb(t)
	wide := strings.Repeat("column,", 100_000) + "column\n" + strings.Repeat("1,", 100_000) + "1\n"
	for name, tt := range map[string]struct {
		answer testenv.Answer
		want   events.Code
		line   int64
	}{
		"empty":                 {testenv.File(""), events.CodeEmptySource, 0},
		"blank":                 {testenv.File("\n\n\n"), events.CodeEmptySource, 0},
		"a web page":            {testenv.File("<!DOCTYPE html><html></html>"), events.CodeNotCSV, 0},
		"a picture":             {testenv.File("\x89PNG\r\n\x1a\n"), events.CodeNotCSV, 0},
		"open quote at the end": {testenv.File("a,b\n1,\"x\n2,y\n"), events.CodeUnterminatedQuote, 2},
		"too many columns":      {testenv.File(wide), events.CodeTooManyColumns, 1},
		"no line end":           {testenv.File(strings.Repeat("x", 3<<20)), events.CodeRowTooLong, 0},
		"damaged gzip":          {testenv.File(testenv.Gzip(t, "a,b\n1,2\n")[:25]), events.CodeSourceCorrupt, 0},
		"several members":       {testenv.File(zipped(t, "a.csv", "x\n1\n", "b.csv", "y\n1\n")), events.CodeMemberAmbiguous, 0},
		"missing":               {testenv.Status(404), events.CodeSourceNotFound, 0},
		"forbidden":             {testenv.Status(403), events.CodeSourceRefused, 0},
		"breaks off":            {testenv.Answer{testenv.Head(200, "Content-Length: 100"), testenv.Send("a,b\n1,2\n")}, events.CodeSourceTruncated, 0},
		"reset":                 {testenv.Answer{testenv.Reset}, events.CodeSourceUnreachable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			failure := e.expectFailure(aboutURL(web.On("/"+strings.ReplaceAll(name, " ", "-"), tt.answer)), tt.want)
			if failure.Line != tt.line {
				t.Errorf("the failure is about line %d, want %d", failure.Line, tt.line)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	e.expectFailure(aboutURL("http://169.254.169.254/latest"), events.CodeSourceForbidden)
	e.expectFailure(aboutURL("file:///etc/passwd"), events.CodeSourceForbidden)
	for _, question := range []any{
		events.Preview{Spec: events.Spec{Source: events.Source{URL: "http://x/"}}}, events.Preview{ID: uuid.NewString()}, []int{1},
	} {
		if _, code := ask[events.Previewed](e, events.SubjectIngesterPreview, question); code != events.QueryInvalid {
			t.Errorf("%v: refused with %q", question, code)
		}
	}
}

// TestPreviewOfAPart holds that of a file that goes on only whole records count, wherever the part ends.
func TestPreviewOfAPart(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const size = 1000
	e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.Previews.PartBytes = size })
	web := testenv.StartWeb(t)
	row := "1,\"a \"\"b\"\"\nü\",€\r\n"
	text := "n,text,sign\r\n" + strings.Repeat(row, 200)
	for cut := size - len(row); cut <= size; cut++ { // what is behind the header moves, so that the cut goes through each place of a row
		t.Run(strconv.Itoa(cut), func(t *testing.T) {
			shift := size - cut
			content := "n,text,sign" + strings.Repeat("s", shift) + text[len("n,text,sign"):]
			got := e.preview(aboutURL(web.On("/"+strconv.Itoa(cut), testenv.File(content))))
			// A row is whole once what follows its CR is known.
			begin := len("n,text,sign\r\n") + shift
			rows := (size - begin) / len(row)
			if got.Failure != nil || got.Complete || got.RowsRead != int64(rows) || got.BytesRead != int64(begin+rows*len(row)) || len(got.Warnings) != 0 {
				t.Errorf("%d rows in %d bytes, complete %t, %v, %v; want %d rows", got.RowsRead, got.BytesRead, got.Complete, got.Failure, got.Warnings, rows)
			}
			if len(got.Rows) != 3 || *got.Rows[2][1] != "a \"b\"\nü" || *got.Rows[2][2] != "€" {
				t.Errorf("answered is %s", described(got))
			}
		})
	}
	open := e.preview(aboutURL(web.On("/open", testenv.File("a,b\n1,2\n3,\""+strings.Repeat("words, words\n", 1000)))))
	if open.Failure != nil || open.Complete || open.RowsRead != 1 || len(open.Rows) != 1 || open.BytesRead != int64(len("a,b\n1,2\n")) {
		t.Errorf("with an open quote: %s (%v)", described(open), open.Failure)
	}
}

// TestPreviewOfSlowSources holds that what has come in time is enough, and that nobody is waited for without end.
func TestPreviewOfSlowSources(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	quick := func(c *ingester.Config, _ *ingester.Parts) {
		c.Previews.Time, c.Previews.PartTime = 3*time.Second, 300*time.Millisecond
	}
	e.start("w1", quick)
	web := testenv.StartWeb(t)
	left := make(chan struct{}, 10)
	slow := func(text string) testenv.Answer {
		return testenv.Answer{testenv.Head(200), testenv.Send(text), func(c *testenv.Call) error {
			defer func() { left <- struct{}{} }()
			return testenv.Hang(c)
		}}
	}
	for name, text := range map[string]string{"rows": "a,b\n1,2\n3,4\n5", "a-row": "a,b\n1,2\n3", "a-header": "a,b\n1,"} {
		got := e.preview(aboutURL(web.On("/"+name, slow(text)), func(s *events.Spec) { s.CSV.Header = new(true) }))
		if want := int64(strings.Count(text, "\n") - 1); got.Failure != nil || got.Complete || got.RowsRead != want || len(got.Columns) != 2 {
			t.Errorf("%s: answered is %s (%v), want %d rows", name, described(got), got.Failure, want)
		}
	}
	e.expectFailure(aboutURL(web.On("/half", slow("a,"))), events.CodeSourceStalled)
	e.expectFailure(aboutURL(web.On("/none", slow(""))), events.CodeSourceStalled)
	e.expectFailure(aboutURL(web.On("/silent", testenv.Answer{testenv.Hang})), events.CodeSourceStalled)
	for range 5 { // no connection is left open
		select {
		case <-left:
		case <-e.ctx.Done():
			t.Fatal("a connection is left open")
		}
	}
}

// TestPreviewsAtOnce holds that there are no more of them than allowed, and room for more when one has ended.
func TestPreviewsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", func(c *ingester.Config, _ *ingester.Parts) { c.Previews.AtOnce = 2 })
	web, open := testenv.StartWeb(t), make(chan struct{})
	slow := testenv.Answer{testenv.Head(200), testenv.Await(open), testenv.Send("a\n1\n")}
	ended := make(chan events.Previewed, 2)
	for n := range 2 {
		question := aboutURL(web.On("/"+strconv.Itoa(n), slow))
		go func() {
			var found events.Previewed
			if err := bus.Ask(e.ctx, e.bus.Conn, events.SubjectIngesterPreview, question, &found); err != nil {
				t.Error(err)
			}
			ended <- found
		}()
	}
	testenv.Eventually(e.ctx, t, "two previews are under way", func() error {
		if n := len(web.Requests()); n < 2 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
	third := aboutURL(web.On("/third", testenv.File("a\n1\n")))
	if found, code := ask[events.Previewed](e, events.SubjectIngesterPreview, third); code != events.QueryBusy {
		t.Errorf("a third one is answered with %q, %+v", code, found)
	}
	close(open)
	for range 2 {
		if found := <-ended; found.Failure != nil || found.RowsRead != 1 {
			t.Errorf("answered is %+v", found)
		}
	}
	if found := e.preview(third); found.RowsRead != 1 {
		t.Errorf("answered is %+v", found)
	}
}

// TestPreviewOfSecrets holds that a sealed address is opened, and that nothing of it is in an answer.
func TestPreviewOfSecrets(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	sealer, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	e.start("w1", func(_ *ingester.Config, parts *ingester.Parts) { parts.Sealer = sealer })
	web := testenv.StartWeb(t)
	whole, err := url.Parse(web.On("/file", testenv.File("a\n1\n"), testenv.Status(403)) + "?token=hush")
	if err != nil {
		t.Fatal(err)
	}
	question := aboutURL("")
	if question.Spec.Source, err = sealer.Source(question.ID, whole, map[string]string{"Authorization": "Bearer hush"}); err != nil {
		t.Fatal(err)
	}
	if found := e.preview(question); found.RowsRead != 1 {
		t.Errorf("answered is %+v", found)
	}
	if asked := web.Asked("Authorization"); !reflect.DeepEqual(asked, []string{"Bearer hush"}) {
		t.Errorf("asked with %q", asked)
	}
	if failure := e.expectFailure(question, events.CodeSourceRefused); strings.Contains(failure.Message, "hush") {
		t.Errorf("the failure is %+v", failure)
	}
	question.ID = uuid.NewString() // for which it was not sealed
	e.expectFailure(question, events.CodeSecretUnreadable)
}

// TestPreviewOfUploads holds that an upload is neither reserved nor removed.
func TestPreviewOfUploads(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", e.uploading)
	u, err := e.bus.Uploads.Put(e.ctx, "a.csv", "text/csv", strings.NewReader("a\n1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if found := e.preview(aboutURL(events.UploadScheme + u.ID)); found.RowsRead != 1 || !found.Complete {
			t.Errorf("answered is %+v", found)
		}
	}
	if now, err := e.bus.Uploads.Info(e.ctx, u.ID); err != nil || len(now.Jobs) != 0 {
		t.Errorf("the upload is %+v, %v", now, err)
	}
	e.expectFailure(aboutURL(events.UploadScheme+uuid.NewString()), events.CodeUploadNotFound)
}

// TestPreviewFitsIntoAMessage holds that the widest rows make an answer that can be sent.
func TestPreviewFitsIntoAMessage(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	web := testenv.StartWeb(t)
	header := make([]string, 1600)
	for i := range header {
		header[i] = fmt.Sprintf("column %d %s", i, strings.Repeat("x", 150))
	}
	line := func(value string) string { return strings.TrimSuffix(strings.Repeat(value+",", 1600), ",") + "\n" }
	for name, rows := range map[string]string{
		"short":   strings.Repeat(line("\x01"), 100),
		"long":    line(strings.Repeat("\x01", 400)),
		"many":    strings.Repeat(line("some words"), 30),
		"nothing": line("1"),
	} {
		question := aboutURL(web.On("/"+name, testenv.File(strings.Join(header, ",")+"\n"+rows)), func(s *events.Spec) {
			s.CSV.Header, s.CSV.Encoding = new(true), "utf-8"
		})
		question.Rows = 1000
		got := e.preview(question)
		if got.Failure != nil || len(got.Columns) != 1600 || len(got.Rows) == 0 || len(got.Rows) > 100 || got.Cut != (name != "nothing") {
			t.Errorf("%s: %d columns, %d of %d rows, cut %t, %v", name, len(got.Columns), len(got.Rows), got.RowsRead, got.Cut, got.Failure)
		}
	}
}
