package postgres_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// inferred opens the job's run, whose types are inferred, with these columns unless an earlier attempt has prepared it.
func (w *world) inferred(mode events.Mode, names ...string) *postgres.Load {
	w.Helper()
	claim := w.claim(1)
	claim.Spec.Types.Infer, claim.Spec.Mode = true, mode
	if mode != events.Create {
		claim.Spec.Table = w.name
	}
	if mode == events.Upsert {
		claim.Spec.Key = names[:1]
	}
	load, _, err := w.db.Open(testenv.Context(w), claim)
	w.must(err)
	if load.Kept() == nil {
		w.must(load.Prepare(testenv.Context(w), postgres.File{Columns: columns(names...), Dialect: events.Dialect{Encoding: "utf-8"}}))
	}
	return load
}

// rows are texts as a block takes them; the text NULL is one.
func rows(texts ...[]string) (list [][][]byte) {
	for _, row := range texts {
		var values [][]byte
		for _, text := range row {
			value := []byte(text)
			if text == "NULL" {
				value = nil
			}
			values = append(values, value)
		}
		list = append(list, values)
	}
	return list
}

// column is a row for each text.
func column(texts ...string) (list [][]string) {
	for _, text := range texts {
		list = append(list, []string{text})
	}
	return list
}

func (c *writer) rows(texts ...[]string) {
	c.Helper()
	c.end += 10
	c.must(c.Write(block(c.end/10, c.end, rows(texts...)...)))
}

// publishAs publishes columns of text as a table of the world's name.
func (c *writer) publishAs(names ...string) events.Result {
	c.Helper()
	outcome, err := c.Publish(c.end, func() postgres.Publication {
		p := c.publication()
		p.Result.Columns = columns(names...)
		return p
	})
	c.must(err)
	return outcome.Result
}

// wantTypes checks the types of a table's columns, in Postgres and in the result.
func (w *world) wantTypes(r events.Result, want ...string) {
	w.Helper()
	w.wantList("types", want, `SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
		pgx.Identifier{r.Schema, r.Table}.Sanitize())
	var told []string
	for _, c := range r.Columns {
		told = append(told, c.Type)
	}
	if !slices.Equal(told, want) {
		w.Errorf("the result tells of types %q, want %q", told, want)
	}
}

func TestInferredTypes(t *testing.T) {
	w := newWorld(t)
	names := []string{"id", "zip", "price", "day", "at", "none", `we"ird`}
	c := w.writer(testenv.Context(t), w.inferred(events.Create, names...), postgres.CopierConfig{Connections: 2, BatchBytes: 1})
	for _, row := range [][]string{
		{"1", "0150", "1.50", "2024-02-29", "2024-01-01T00:57:55", "NULL", "true"},
		{"70000", "1234", "NULL", "2024-03-01", "2024-01-01T01:17:43", "NULL", "false"},
		{"-3", "9999", "3", "NULL", "NULL", "NULL", "NULL"},
	} {
		c.rows(row)
	}
	r := c.publishAs(names...)
	w.wantTypes(r, "integer", "text", "numeric", "date", "timestamp without time zone", "text", "boolean")
	if r.Columns[4].Form == "" || r.Columns[3].Form != "" {
		t.Errorf("the forms are told as %+v", r.Columns)
	}
	w.wantList("rows", []string{`(-3,9999,3,,,,)`, `(1,0150,1.50,2024-02-29,"2024-01-01 00:57:55",,t)`, `(70000,1234,,2024-03-01,"2024-01-01 01:17:43",,f)`},
		"SELECT t::text FROM "+pgx.Identifier{w.name}.Sanitize()+" t ORDER BY 1")
}

// TestInferredTypesOverAttempts holds that what an attempt has seen of the values outlives it, and that all of it counts.
func TestInferredTypesOverAttempts(t *testing.T) {
	w := newWorld(t)
	for _, value := range []string{"1.50", "12", "1234567890123"} {
		c := w.writer(testenv.Context(t), w.inferred(events.Create, "value"), postgres.CopierConfig{Connections: 1, BatchBytes: 1})
		c.Skip(c.resumed())
		c.rows(column(value)...)
		c.must(c.Flush())
		c.Close()
	}
	load := w.inferred(events.Create, "value")
	c := w.writer(testenv.Context(t), load, postgres.CopierConfig{Connections: 1, BatchBytes: 1})
	c.Skip(c.resumed())
	w.wantTypes(c.publishAs("value"), "numeric")
	w.wantRows(w.name, "1.50", "12", "1234567890123")
}

// resumed is where the batches that were committed end.
func (c *writer) resumed() int64 {
	c.Helper()
	c.must(c.raw.QueryRow(testenv.Context(c.world), "SELECT coalesce(max(end_offset), 0) FROM sluice.batches").Scan(&c.end))
	return c.end
}

// TestBatchesOfAnOlderSluice holds that values which nobody has looked at are text.
func TestBatchesOfAnOlderSluice(t *testing.T) {
	w := newWorld(t)
	c := w.writer(testenv.Context(t), w.inferred(events.Create, "value"), postgres.CopierConfig{Connections: 1, BatchBytes: 1})
	c.rows(column("007")...)
	c.must(c.Flush())
	w.exec("UPDATE sluice.batches SET types = NULL")
	c.rows(column("8")...)
	w.wantTypes(c.publishAs("value"), "text")
}

// TestInferredTypesOfAKey holds that keys which are different texts stay different.
func TestInferredTypesOfAKey(t *testing.T) {
	for want, values := range map[string][]string{
		"text": {"1.5", "1.50"}, "bigint": {"1", "3000000000"}, "date": {"2024-01-01", "2024-01-02"},
	} {
		t.Run(want, func(t *testing.T) {
			w := newWorld(t)
			c := w.writer(testenv.Context(t), w.inferred(events.Upsert, "value"), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
			c.rows(column(values...)...)
			w.wantTypes(c.publishAs("value"), want)
		})
	}
}

// TestInferredTypesOfATable holds that a table which is there keeps its types, and that one which is made gets what was inferred.
func TestInferredTypesOfATable(t *testing.T) {
	for _, mode := range []events.Mode{events.Append, events.Replace, events.Upsert} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			load := func(values ...string) events.Result {
				w.job = uuid.NewString()
				c := w.writer(testenv.Context(t), w.inferred(mode, "value"), postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 20})
				c.rows(column(values...)...)
				return c.publishAs("value")
			}
			w.wantTypes(load("1", "2"), "smallint")
			w.wantTypes(load("3"), "smallint")
			w.exec("ALTER TABLE " + pgx.Identifier{w.name}.Sanitize() + " ALTER COLUMN value TYPE text")
			w.wantTypes(load("4"), "text")
		})
	}
}
