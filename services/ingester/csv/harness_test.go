package csv_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// outcome is all that reading a file tells, written so that it can be compared and read.
type outcome struct {
	columns  string   // names, joined by |
	records  []string // as showRecord writes them
	failure  string   // as showError writes it; empty when the file ended well
	message  string   // of the failure
	warnings string   // as showWarnings writes them
	places   []string // of the pieces that rows came in: number of the first record, its line, the end of the last
}

// read reads a file to its end and checks what holds for every file.
func read(t *testing.T, src io.Reader, size int64, text string, opts csv.Options) outcome {
	t.Helper()
	r := csv.NewReader(src, opts)
	columns, err := r.Columns()
	var got outcome
	got.columns = showColumns(columns)
	var end int64
	if opts.Dialect.HeaderRows == 0 && strings.HasPrefix(text, "\xEF\xBB\xBF") {
		end = 3
	}
	for first := true; err == nil; first = false {
		var rec csv.Record
		if rec, err = r.Read(); err != nil {
			break
		}
		got.records = append(got.records, showRecord(rec))
		if len(rec.Values) != len(columns) {
			t.Fatalf("a record of %d values in a file of %d columns", len(rec.Values), len(columns))
		}
		if first && opts.Dialect.HeaderRows > 0 {
			end = headerEnd(text, rec.Start)
		}
		checkTile(t, text, end, rec)
		end = rec.End
	}
	if again := readAgain(r); again != err {
		t.Errorf("the error is not sticky: first %v, then %v", err, again)
	}
	if err == io.EOF && len(got.records) > 0 {
		checkBlank(t, text, end, size)
	}
	got.failure, got.message = showError(t, err)
	got.warnings = showWarnings(r.TakeWarnings())
	return got
}

func readAgain(r *csv.Reader) error {
	_, err := r.Read()
	return err
}

// headerEnd is not told by the reader: a record behind the header starts behind a line end.
func headerEnd(text string, start int64) int64 {
	if start == 0 || !strings.ContainsRune("\r\n", rune(text[start-1])) {
		return -1
	}
	return start
}

// checkTile checks that only blank lines lie between the record before and this one, and that this one is not empty.
func checkTile(t *testing.T, text string, end int64, rec csv.Record) {
	t.Helper()
	checkBlank(t, text, end, rec.Start)
	if rec.End <= rec.Start {
		t.Errorf("a record from %d to %d", rec.Start, rec.End)
	}
	if len(text) > 1<<16 {
		return // counting anew for each record would take too long
	}
	before := strings.ReplaceAll(text[:rec.Start], "\r\n", "\n")
	if want := 1 + int64(strings.Count(before, "\n")+strings.Count(before, "\r")); rec.Line != want {
		t.Errorf("a record at %d says line %d, not %d", rec.Start, rec.Line, want)
	}
}

func checkBlank(t *testing.T, text string, from, to int64) {
	t.Helper()
	if from < 0 || from > to || strings.Trim(text[from:to], "\r\n") != "" {
		t.Errorf("the bytes from %d to %d belong to no record", from, to)
	}
}

func showColumns(columns []events.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, "|")
}

// showRecord writes line, start and end offset and the values, such as `2 4-8 "1"|NULL`.
func showRecord(rec csv.Record) string {
	values := make([]string, len(rec.Values))
	for i, v := range rec.Values {
		values[i] = showValue(v)
	}
	return fmt.Sprintf("%d %d-%d %s", rec.Line, rec.Start, rec.End, strings.Join(values, "|"))
}

func showValue(value []byte) string {
	switch {
	case value == nil:
		return "NULL"
	case len(value) > 1<<20:
		return fmt.Sprintf("%d bytes", len(value))
	}
	return fmt.Sprintf("%q", value)
}

// showError writes code, line, column and offset, such as `nul_byte 2:1:5`, or the code alone when there is no place.
func showError(t *testing.T, err error) (place, message string) {
	t.Helper()
	if err == io.EOF {
		return "", ""
	}
	var f *events.Failure
	if !errors.As(err, &f) {
		return "error " + err.Error(), ""
	}
	if strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "\n") || strings.ToLower(f.Message[:1]) != f.Message[:1] {
		t.Errorf("not a message for users: %q", f.Message)
	}
	if f.ByteOffset == nil {
		return string(f.Code), f.Message
	}
	if !strings.HasPrefix(f.Message, fmt.Sprintf("line %d", f.Line)) {
		t.Errorf("the message does not name line %d: %q", f.Line, f.Message)
	}
	return fmt.Sprintf("%s %d:%d:%d", f.Code, f.Line, f.Column, *f.ByteOffset), f.Message
}

// showWarnings writes code, count and lines of each, such as `short_row 2 [3 5]`.
func showWarnings(warnings []events.Warning) string {
	list := make([]string, len(warnings))
	for i, w := range warnings {
		list[i] = fmt.Sprintf("%s %d %v", w.Code, w.Count, w.Lines)
	}
	return strings.Join(list, ", ")
}

// deliveries are ways in which a source may hand out the same bytes.
func deliveries(text string, seed uint64) map[string]io.Reader {
	whole := func() io.Reader { return strings.NewReader(text) }
	random := func(seed uint64) io.Reader {
		return &randomReader{data: text, longest: 6 + len(text)/1000, rnd: rand.New(rand.NewPCG(seed, 1))}
	}
	return map[string]io.Reader{
		"whole":            whole(),
		"one byte a time":  iotest.OneByteReader(whole()),
		"halves":           iotest.HalfReader(whole()),
		"random":           random(seed),
		"with its EOF":     &eofReader{data: text},
		"bytes, with EOF":  iotest.DataErrReader(iotest.OneByteReader(whole())),
		"random, with EOF": iotest.DataErrReader(random(seed + 1)),
	}
}

// randomReader hands out random lengths, nothing at all among them.
type randomReader struct {
	data    string
	longest int
	rnd     *rand.Rand
}

func (r *randomReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.rnd.IntN(r.longest+1))], r.data)
	r.data = r.data[n:]
	return n, nil
}

// eofReader says io.EOF together with the last bytes.
type eofReader struct{ data string }

func (r *eofReader) Read(p []byte) (int, error) {
	n := copy(p, r.data)
	r.data = r.data[n:]
	if len(r.data) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// brokenReader fails behind its bytes.
func brokenReader(text string, err error) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(err))
}
