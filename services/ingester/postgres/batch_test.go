package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// wholeJob loads one row as a job of its own.
func wholeJob(ctx context.Context, db *postgres.Database, table string) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Schema: "public"})
	if err != nil {
		return err
	}
	if err := load.Prepare(ctx, columns("value"), events.Dialect{}); err != nil {
		return err
	}
	if err := load.Commit(ctx, batch(0, 10, "a")); err != nil {
		return err
	}
	_, err = load.Publish(ctx, batch(10, 20, "b"), postgres.Publication{Table: table, At: time.Now()})
	return err
}

// value draws a value of a column, nil for NULL: any Unicode but NUL, and often what means something to COPY.
func value() *rapid.Generator[[]byte] {
	special := rapid.SampledFrom([]string{
		"", `\`, `\N`, `\.`, "\t", "\n", "\r", "\r\n", "\v", "\f", "\b", `\n`, `\x41`, `\101`, `"`, "'", ",", "\x7f", "\x01", "NULL", " ",
	})
	unicode := rapid.Custom(func(t *rapid.T) string { return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "") })
	return rapid.Custom(func(t *rapid.T) []byte {
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			return nil
		}
		parts := rapid.SliceOfN(rapid.OneOf(special, unicode), 0, 4).Draw(t, "parts")
		return []byte(strings.Join(parts, ""))
	})
}

func TestValuesArriveAsTheyWere(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 5).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(value(), width, width), 1, 8).Draw(t, "rows")
		inBatch := rapid.IntRange(0, len(rows)-1).Draw(t, "rows of the first batch")
		table := "t" + hex(uuid.NewString())
		if err := loadRows(ctx, w.db, table, rows, inBatch); err != nil {
			t.Fatal(err)
		}
		got, err := readRows(ctx, w, table, width)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(rows) {
			t.Fatalf("%d rows, want %d", len(got), len(rows))
		}
		for i := range rows {
			for j, v := range rows[i] {
				if !bytes.Equal(got[i][j], v) || (got[i][j] == nil) != (v == nil) {
					t.Fatalf("row %d column %d is %q, want %q (nil: %t, %t)", i, j, got[i][j], v, got[i][j] == nil, v == nil)
				}
			}
		}
	})
}

func loadRows(ctx context.Context, db *postgres.Database, table string, rows [][][]byte, inBatch int) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Schema: "public"})
	if err != nil {
		return err
	}
	names := make([]string, len(rows[0]))
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	if err := load.Prepare(ctx, columns(names...), events.Dialect{}); err != nil {
		return err
	}
	b := new(postgres.Batch)
	for i, row := range rows {
		if i > 0 && i == inBatch {
			if err := load.Commit(ctx, b); err != nil {
				return err
			}
			b.Reset(b.End)
		}
		b.Append(row)
		b.End++
	}
	_, err = load.Publish(ctx, b, postgres.Publication{Table: table, At: time.Now()})
	return err
}

// readRows reads a table in the order in which it was written, byte by byte.
func readRows(ctx context.Context, w *world, table string, width int) ([][][]byte, error) {
	list := make([]string, width)
	for i := range list {
		list[i] = fmt.Sprintf("convert_to(c%d, 'UTF8')", i)
	}
	rows, err := w.raw.Query(ctx, "SELECT ARRAY["+strings.Join(list, ",")+"] FROM "+table+" ORDER BY ctid")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[[][]byte])
}

func TestBatchIsReused(t *testing.T) {
	b := batch(0, 10, "abc")
	if b.Size() != len("abc\n") || b.Rows != 1 {
		t.Errorf("size %d, %d rows", b.Size(), b.Rows)
	}
	b.Reset(10)
	if b.Start != 10 || b.End != 10 || b.Rows != 0 || b.FirstLine != 0 || b.Size() != 0 {
		t.Errorf("after a reset: %+v", b)
	}
}
