package dataset

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Reject is a row of a file that a job has left out.
type Reject struct {
	Line       int64 // where the row starts in the decompressed source, from 1
	ByteOffset int64 // likewise, from 0
	Column     *int  // the field at fault, from 1; nil if that is the whole row
	ColumnName *string
	Code       string
	Reason     string
	Raw        string // the row, or its first part
}

// RejectsQuery asks for rows that a job has left out, in the file's order.
type RejectsQuery struct {
	JobID  string // a UUID
	Limit  int64  // at the most; 0: all
	Cursor string // [Rejects.Next] of a page before; empty: from the first
}

// Rejects is a page of rejected rows.
type Rejects struct {
	Rejects []Reject
	Next    string // cursor of the next page; empty on the last one
}

const rejectsQuery = `
SELECT line, byte_offset, column_number, column_name, code, reason, raw FROM sluice.rejects
WHERE job_id = $1 AND byte_offset > $2 ORDER BY byte_offset`

// Rejects returns a page of the rows that a job has left out: none of a job that is not known.
func (r *Reader) Rejects(ctx context.Context, q RejectsQuery) (Rejects, error) {
	after, err := q.after()
	if err != nil {
		return Rejects{}, err
	}
	page := Rejects{Rejects: []Reject{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err = r.read(ctx, "", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, rejectsQuery+" LIMIT $3", q.JobID, after, q.Limit+1)
		if err != nil {
			return ledgerFailure(ctx, err)
		}
		defer rows.Close()
		for size := 0; rows.Next(); {
			var j Reject
			if err := rows.Scan(&j.Line, &j.ByteOffset, &j.Column, &j.ColumnName, &j.Code, &j.Reason, &j.Raw); err != nil {
				return fmt.Errorf("reading a rejected row: %w", err)
			}
			n := len(page.Rejects)
			size += len(j.Raw) + len(j.Reason)
			if full := size > pageBytes && n > 0; full || int64(n) == q.Limit {
				page.Next = strconv.FormatInt(page.Rejects[n-1].ByteOffset, 10)
				if full {
					cancel() // what is left of the answer need not come
				}
				return nil
			}
			page.Rejects = append(page.Rejects, j)
		}
		return rowsFailure(ctx, rows, ledgerFailure)
	})
	if err != nil {
		return Rejects{}, fmt.Errorf("reading the rejected rows of job %s: %w", q.JobID, err)
	}
	return page, nil
}

// ExportRejects writes the rows that a job has left out as CSV, as [Reader.Export] does.
func (r *Reader) ExportRejects(ctx context.Context, q RejectsQuery, out io.Writer) error {
	after, err := q.after()
	if err != nil {
		return err
	}
	sql := rejectsQuery
	if q.Limit > 0 {
		sql += " LIMIT " + strconv.FormatInt(q.Limit, 10)
	}
	return r.export(ctx, func(ctx context.Context, tx pgx.Tx) error {
		w := &chunked{out: out}
		table := newCSVTable(w, []column{
			{name: "line"}, {name: "byte_offset"}, {name: "column"}, {name: "column_name"}, {name: "code"}, {name: "reason"}, {name: "raw"},
		}, false)
		rows, err := tx.Query(ctx, sql, q.JobID, after)
		if err != nil {
			return ledgerFailure(ctx, err)
		}
		defer rows.Close()
		for rows.Next() {
			table.row(rows.RawValues())
			if err := w.flushIfDue(); err != nil {
				return err
			}
		}
		if err := rowsFailure(ctx, rows, ledgerFailure); err != nil {
			return err
		}
		return w.flush()
	})
}

// after is the byte offset that a cursor says.
func (q RejectsQuery) after() (int64, error) {
	if q.Cursor == "" {
		return -1, nil
	}
	after, err := strconv.ParseInt(q.Cursor, 10, 64)
	if err != nil || after < 0 {
		return 0, badParameter("cursor", notACursor)
	}
	return after, nil
}
