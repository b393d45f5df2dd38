package dataset

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

// Format is how rows are written.
type Format string

// The formats of exports.
const (
	NDJSON Format = "ndjson" // an object for each row
	CSV    Format = "csv"    // RFC 4180, with a header; NULL is an empty field, an empty text is in quotes
)

// ExportQuery asks for all rows of a table.
type ExportQuery struct {
	Schema, Table string
	Columns       string   // a line of CSV; empty: all
	Filters       []string // column:operator:value; all must hold
	Limit         int64    // how many rows at the most; 0: all
	Format        Format
	FormulaSafe   bool // whether texts of CSV that a spreadsheet would run get a ' in front
}

const (
	chunk     = 32 << 10    // how much is written at once, in bytes
	chunkTime = time.Second // after which less is
	// exportTime bounds how long the rows of one snapshot may be read: as long as they are, Postgres clears nothing away.
	exportSettings = "SET LOCAL statement_timeout = '6h'"
)

// Export writes the rows of a table, as they are at one moment, as fast as they are taken. Memory holds a row and a chunk. It fails
// as [Reader.Rows] does, but not with what out returns, and with [ErrBusy] at once if too many exports are under way. Nothing is
// written before the first chunk is complete, so that what fails at its beginning can be answered otherwise.
func (r *Reader) Export(ctx context.Context, q ExportQuery, out io.Writer) error {
	err := r.export(ctx, func(ctx context.Context, tx pgx.Tx) error { return exportRows(ctx, tx, q, out) })
	return r.explain(ctx, err, q.Schema, q.Table)
}

// export runs a transaction for an export, if there is room for another.
func (r *Reader) export(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	select {
	case r.exports <- struct{}{}:
		defer func() { <-r.exports }()
	default:
		return ErrBusy
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // with whatever the server has still to send
	return r.read(ctx, exportSettings, func(tx pgx.Tx) error {
		err := do(ctx, tx)
		if err != nil {
			cancel()
		}
		return err
	})
}

func exportRows(ctx context.Context, tx pgx.Tx, q ExportQuery, out io.Writer) error {
	t, err := openTable(ctx, tx, q.Schema, q.Table)
	if err != nil {
		return err
	}
	columns, err := t.choose(q.Columns)
	if err != nil {
		return err
	}
	s, err := t.selection(q.Filters, "")
	if err != nil {
		return err
	}
	if err := s.set(ctx, tx, false); err != nil {
		return err
	}
	var expressions []string
	w := &chunked{out: out}
	write := func(values [][]byte) { w.line(oneLine(values[0])) }
	if q.Format == CSV {
		table := newCSVTable(w, columns, q.FormulaSafe)
		for _, c := range columns {
			expressions = append(expressions, quoted(c.name))
		}
		write = table.row
	} else {
		expressions = []string{s.object(columns)}
	}
	rows, err := tx.Query(ctx, s.statement(expressions, q.Limit), s.args...)
	if err != nil {
		return s.failure(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		write(rows.RawValues())
		if err := w.flushIfDue(); err != nil {
			return err
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return s.failure(ctx, err)
	}
	return w.flush()
}

// chunked gathers what is written.
type chunked struct {
	out     io.Writer
	pending []byte
	flushed time.Time
}

func (w *chunked) line(data []byte) {
	w.pending = append(append(w.pending, data...), '\n')
}

func (w *chunked) flushIfDue() error {
	if w.flushed.IsZero() {
		w.flushed = time.Now()
	}
	if len(w.pending) < chunk && time.Since(w.flushed) < chunkTime {
		return nil
	}
	return w.flush()
}

func (w *chunked) flush() error {
	w.flushed = time.Now()
	if len(w.pending) == 0 {
		return nil
	}
	_, err := w.out.Write(w.pending)
	w.pending = w.pending[:0]
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	return nil
}
