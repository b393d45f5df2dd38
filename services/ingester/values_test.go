package ingester_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/text/encoding/htmlindex"
	"pgregory.net/rapid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
)

// TestValuesArriveAsTheyWere writes tables as CSV files in any dialect, loads them over one or more connections in batches
// of any size, and reads the same back.
func TestValuesArriveAsTheyWere(t *testing.T) {
	ctx := testenv.Context(t)
	url := testenv.Database(t)
	db, err := postgres.Connect(ctx, url, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	rapid.Check(t, func(t *rapid.T) {
		file := drawFile(t)
		connections := rapid.IntRange(1, 3).Draw(t, "connections")
		size := rapid.SampledFrom([]int{1, 40, 1 << 20}).Draw(t, "batch size")
		table := "t" + strings.ReplaceAll(uuid.NewString(), "-", "")
		if err := loadFile(ctx, db, table, file, connections, size); err != nil {
			t.Fatalf("%v in %q", err, file.text)
		}
		got, err := readTable(ctx, raw, table, len(file.table[0]))
		if err != nil {
			t.Fatal(err)
		}
		want := make([]string, len(file.table))
		for i, row := range file.table {
			want[i] = show(row)
		}
		if connections > 1 { // then the order is anyone's
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q gave\n%q, want\n%q", file.text, got, want)
		}
	})
}

// drawnFile is a table and the text that it was written as.
type drawnFile struct {
	table    [][]*string
	dialect  csv.Dialect
	text     string
	encoding string
	bytes    []byte // the text in the encoding
	pieces   uint64 // seeds how the text is delivered
}

func drawFile(t *rapid.T) drawnFile {
	f := drawnFile{pieces: rapid.Uint64().Draw(t, "pieces")}
	f.dialect.HeaderRows = rapid.IntRange(0, 1).Draw(t, "header")
	f.dialect.Quote = rapid.SampledFrom([]byte{'"', '\''}).Draw(t, "quote")
	f.dialect.Delimiter = rapid.SampledFrom([]string{",", ";", "\t", "|", " ", "a", "1", `\`, "\x01", "||", ", ", "ab", "§"}).Draw(t, "delimiter")
	escapes := []byte{0, f.dialect.Quote, '^'}
	if f.dialect.Delimiter != `\` {
		escapes = append(escapes, '\\')
	}
	f.dialect.Escape = rapid.SampledFrom(escapes).Draw(t, "escape")
	width := rapid.IntRange(1, 5).Draw(t, "columns")
	f.table = rapid.SliceOfN(rapid.SliceOfN(drawValue(), width, width), 1, 12).Draw(t, "rows")
	lineEnds := []string{rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "line end")}
	if width > 1 && rapid.Bool().Draw(t, "mixed line ends") { // a blank line between CR and LF would be none
		lineEnds = []string{"\n", "\r\n", "\r"}
	}
	var text strings.Builder
	if f.dialect.HeaderRows > 0 {
		for i := range width {
			text.WriteString(strings.Repeat(f.dialect.Delimiter, min(i, 1)) + "C" + strconv.Itoa(i+2))
		}
		text.WriteString(lineEnds[0])
	} else {
		first := "first"
		f.table = slices.Insert(f.table, 0, slices.Repeat([]*string{&first}, width)) // a blank first line is no row
	}
	for n, row := range f.table {
		for i, value := range row {
			if i > 0 {
				text.WriteString(f.dialect.Delimiter)
			}
			text.WriteString(f.written(value, rapid.Bool().Draw(t, "quoted")))
		}
		if last := n == len(f.table)-1; !last || width == 1 || rapid.Bool().Draw(t, "last line end") {
			text.WriteString(lineEnds[n%len(lineEnds)])
		}
	}
	f.text = text.String()
	f.encoding = rapid.SampledFrom([]string{"utf-8", "utf-8", "utf-16le", "utf-16be", "gb18030"}).Draw(t, "encoding") // all of Unicode
	if f.encoding == "gb18030" && strings.ContainsFunc(f.text, func(r rune) bool { return unicode.Is(unicode.Co, r) }) {
		f.encoding = "utf-16le" // x/text writes some characters for private use as others
	}
	encoding, err := htmlindex.Get(f.encoding)
	if err != nil {
		t.Fatal(err)
	}
	if f.bytes, err = encoding.NewEncoder().Bytes([]byte(f.text)); err != nil {
		t.Fatal(err)
	}
	return f
}

// options say how the file is written to the reader itself, or as a job does.
func (f drawnFile) options() csv.Options {
	options := csv.DefaultOptions()
	if f.pieces%5 == 0 && f.encoding == "utf-8" {
		options.Dialect = f.dialect
		return options
	}
	quote, escape, header, skip := string(rune(f.dialect.Quote)), string(rune(f.dialect.Escape)), f.dialect.HeaderRows > 0, 0
	if f.dialect.Escape == 0 {
		escape = ""
	}
	options.Stated = &csv.Stated{
		Encoding: f.encoding, Delimiter: &f.dialect.Delimiter, Quote: &quote, Escape: &escape,
		Header: &header, HeaderRows: f.dialect.HeaderRows, SkipRows: &skip,
	}
	options.Mend, options.Rescue = true, true
	return options
}

// written is how a value stands in the file.
func (f drawnFile) written(value *string, quoted bool) string {
	d := f.dialect
	quote := string(rune(d.Quote))
	if value == nil {
		return ""
	}
	if v := *value; v != "" && !quoted && !strings.ContainsAny(v, "\r\n"+d.Delimiter) && !strings.HasPrefix(v, quote) {
		return v
	}
	inside := *value
	if d.Escape != 0 && d.Escape != d.Quote {
		escape := string(rune(d.Escape))
		inside = strings.ReplaceAll(inside, escape, escape+escape)
		if f.pieces%2 == 0 {
			return quote + strings.ReplaceAll(inside, quote, escape+quote) + quote
		}
	}
	return quote + strings.ReplaceAll(inside, quote, quote+quote) + quote
}

// drawValue draws a value of a column, nil for NULL: any Unicode but NUL, and often what means something to COPY.
func drawValue() *rapid.Generator[*string] {
	special := rapid.SampledFrom([]string{
		"", `\`, `\N`, `\.`, "\t", "\n", "\r", "\r\n", "\v", "\f", "\b", `\n`, `\x41`, `\101`, `"`, `""`, "'", ",", "^", "\x7f", "\x01",
		"NULL", " ", "a", "1", strings.Repeat("long ", 10),
	})
	unicode := rapid.Custom(func(t *rapid.T) string { return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "") })
	return rapid.Custom(func(t *rapid.T) *string {
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			return nil
		}
		value := strings.Join(rapid.SliceOfN(rapid.OneOf(special, unicode), 0, 4).Draw(t, "parts"), "")
		return &value
	})
}

func loadFile(ctx context.Context, db *postgres.Database, table string, f drawnFile, connections, size int) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		return err
	}
	var source io.Reader = bytes.NewReader(f.bytes)
	if f.pieces%3 == 0 {
		source = iotest.OneByteReader(source)
	}
	options := f.options()
	rows := csv.NewReader(source, options)
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for i := range columns {
		columns[i].Name = "c" + strconv.Itoa(i)
	}
	if err := load.Prepare(ctx, postgres.File{Columns: columns}); err != nil {
		return err
	}
	copier := load.Copier(ctx, postgres.CopierConfig{
		Connections: connections, BatchBytes: size, FileBytes: int64(f.pieces % 2 * uint64(len(f.bytes))),
	})
	defer copier.Close()
	random := rand.New(rand.NewPCG(f.pieces, 0))
	for block, done := (csv.Rows{Data: copier.Buffer()}), false; !done; {
		full, err := rows.ReadRows(&block)
		if done = err == io.EOF; err != nil && !done {
			return err
		}
		if !block.Empty() && (full || done || random.IntN(3) == 0) {
			if err := copier.Write(ingester.BlockOf(block, rows)); err != nil {
				return err
			}
			block = csv.Rows{Data: copier.Buffer()}
			if random.IntN(3) == 0 {
				copier.Cut()
			}
		}
	}
	_, err = copier.Publish(int64(len(f.bytes)), func() postgres.Publication {
		return postgres.Publication{Table: table, At: time.Now()}
	})
	return err
}

// readTable reads a table in the order in which it was written, byte by byte.
func readTable(ctx context.Context, raw *pgxpool.Pool, table string, width int) ([]string, error) {
	list := make([]string, width)
	for i := range list {
		list[i] = fmt.Sprintf("convert_to(c%d, 'UTF8')", i)
	}
	rows, err := raw.Query(ctx, "SELECT ARRAY["+strings.Join(list, ",")+"] FROM "+table+" ORDER BY ctid")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var values []*string
		var raw [][]byte
		if err := row.Scan(&raw); err != nil {
			return "", err
		}
		for _, v := range raw {
			if v == nil {
				values = append(values, nil)
				continue
			}
			text := string(v)
			values = append(values, &text)
		}
		return show(values), nil
	})
}

func show(row []*string) string {
	list := make([]string, len(row))
	for i, v := range row {
		if list[i] = "NULL"; v != nil {
			list[i] = strconv.Quote(*v)
		}
	}
	return strings.Join(list, "|")
}
