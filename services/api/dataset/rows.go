package dataset

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"
)

// RowsQuery asks for a page of a table's rows.
type RowsQuery struct {
	Schema, Table string
	Columns       string   // a line of CSV; empty: all
	Filters       []string // column:operator:value; all must hold
	Limit         int      // at the most; at least 1
	Cursor        string   // [Rows.Next] of a page before, with whatever columns and filters; empty: from the first row
}

// Rows is a page of rows.
type Rows struct {
	Rows [][]byte // objects of JSON, as Postgres makes them, each on one line
	Next string   // cursor of the next page; empty on the last one
}

// Rows returns a page of a table's rows, each as fast as the first: in the order of its key, or of the places where they lie.
// It fails with a [ParameterError] about columns, filter or cursor, with [ErrNotFound], [ErrNotReadable], and with
// [ErrCursorExpired] where the rows do not lie any more where they have lain.
func (r *Reader) Rows(ctx context.Context, q RowsQuery) (Rows, error) {
	page := Rows{Rows: [][]byte{}}
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	err := r.read(reading, "", func(tx pgx.Tx) error { return page.read(reading, tx, q, cancel) })
	if err != nil {
		return Rows{}, r.explain(ctx, err, q.Schema, q.Table)
	}
	return page, nil
}

func (p *Rows) read(ctx context.Context, tx pgx.Tx, q RowsQuery, enough context.CancelFunc) error {
	t, err := openTable(ctx, tx, q.Schema, q.Table)
	if err != nil {
		return err
	}
	columns, err := t.choose(q.Columns)
	if err != nil {
		return err
	}
	s, err := t.selection(q.Filters, q.Cursor)
	if err != nil {
		return err
	}
	if err := s.set(ctx, tx, true); err != nil {
		return err
	}
	places := s.places()
	rows, err := tx.Query(ctx, s.statement(append(places, s.object(columns)), int64(q.Limit)+1), s.args...)
	if err != nil {
		return s.failure(ctx, err)
	}
	defer rows.Close()
	return p.fill(ctx, rows, s, q.Limit, enough)
}

// fill takes rows until the page is full. What is left of the answer need not come then.
func (p *Rows) fill(ctx context.Context, rows pgx.Rows, s *selection, limit int, enough context.CancelFunc) error {
	var last place
	for size := 0; rows.Next(); {
		values := rows.RawValues()
		object := values[len(values)-1]
		size += len(object)
		if full := size > pageBytes && len(p.Rows) > 0; full || len(p.Rows) == limit {
			p.Next = encodeCursor(last)
			if full {
				enough()
			}
			return nil
		}
		next, err := s.placeOf(values[:len(values)-1], last)
		if err != nil {
			return err
		}
		last, p.Rows = next, append(p.Rows, bytes.Clone(oneLine(object)))
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return s.failure(ctx, err)
	}
	return nil
}

// oneLine changes an object of JSON in its place. What lies in a column of type json may have line ends between its parts; within
// texts they are escaped.
func oneLine(object []byte) []byte {
	for i, c := range object {
		if c == '\n' || c == '\r' {
			object[i] = ' '
		}
	}
	return object
}
