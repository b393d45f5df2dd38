package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"sluice/pkg/events"
)

// File is how a file is read and by what it is known again, as the first attempt of a run has found it.
type File struct {
	Columns  []events.Column
	Dialect  events.Dialect
	Source   json.RawMessage  // by what the source is recognised as the same; nil for nothing
	Warnings []events.Warning // about what lies above the rows
	Begin    int64            // byte offset in the source of the first row
	Line     int64            // of that row, from 1
}

// Kept is what earlier attempts of a run have committed, and how they read the file. At least one batch is.
type Kept struct {
	File
	Gaps     []Gap  // of the source, in order, that no committed batch covers; the last one is open
	FirstBad string // why the first row was rejected, if any was
	Marks    []Mark // of the source, in order
}

// Gap is a part of the source that is still to be loaded. It starts where a row does.
type Gap struct {
	Start int64 // byte offset
	Line  int64 // of the byte there, from 1
	End   int64 // byte offset behind its last row; -1 for the end of the source, wherever that is

	Rows, Rejected int64 // that are committed of what lies before it
}

// From returns the latest mark from which all gaps can be reached, or the start of the source, and all other marks: gaps may
// have been filled from another version of the file, which only the marks before tell.
func (k *Kept) From() (from Mark, others []Mark) {
	n := 0
	for n < len(k.Marks) && k.Marks[n].Offset <= k.Gaps[0].Start {
		n++
	}
	if n == 0 {
		return Mark{}, k.Marks
	}
	return k.Marks[n-1], slices.Concat(k.Marks[:n-1], k.Marks[n:])
}

// Mark is the state of the source's digest at a place in it, so that the digest can be gone on with from there.
type Mark struct {
	Offset int64 // in bytes
	Digest []byte
}

// Committed is how many rows are, and how many besides were rejected.
func (k *Kept) Committed() (rows, rejected int64) {
	all := k.Gaps[len(k.Gaps)-1]
	return all.Rows, all.Rejected
}

// Kept returns what earlier attempts have left, or nil if there is nothing. To go on with it, do not call [Load.Prepare].
func (l *Load) Kept() *Kept { return l.kept }

// takeOver finds what earlier attempts of the run have left. Where that is of no use it is dropped, but for the rejects:
// the job may have been opened to record that it failed, and why.
func (l *Load) takeOver(ctx context.Context) error {
	return l.underFence(ctx, func(tx pgx.Tx) error {
		kept, err := l.readKept(ctx, tx)
		if err != nil {
			return err
		}
		if kept == nil {
			return l.discard(ctx, tx)
		}
		l.kept, l.columns, l.firstRow = kept, kept.Columns, kept.Begin
		return nil
	})
}

// Recognise changes by what the source is recognised as the same, before rows of another answer of its server are committed.
func (l *Load) Recognise(ctx context.Context, source json.RawMessage) error {
	return l.underFence(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE sluice.loads SET source = $2 WHERE job_id = $1", l.JobID, string(source))
		return err
	})
}

// discard forgets all that was committed, but for the rejects.
func (l *Load) discard(ctx context.Context, tx pgx.Tx) error {
	l.kept, l.extra = nil, false
	l.numbers.Store(0)
	l.committed.Store(0)
	return l.dropStaging(ctx, tx)
}

// restart forgets all that was committed, but for the rejects. The attempt is then one in vain: a source that is another file
// each time, and never comes to its end, is not to be asked for ever.
func (l *Load) restart(ctx context.Context, tx pgx.Tx) error {
	l.restarted = int64(l.Attempt)
	_, err := tx.Exec(ctx, "UPDATE sluice.loads SET progress = $2, restarted = $3 WHERE job_id = $1",
		l.JobID, l.progress.Load(), l.restarted)
	if err != nil {
		return err
	}
	return l.discard(ctx, tx)
}

// cameFurther is told of an attempt that has committed something.
func (l *Load) cameFurther(attempt int64) {
	if attempt != l.restarted {
		l.progress.Store(max(l.progress.Load(), attempt))
	}
}

// readKept returns nil if no batch was committed to a staging table that is still there.
func (l *Load) readKept(ctx context.Context, tx pgx.Tx) (*Kept, error) {
	var columns, dialect, source, warnings []byte
	k := new(Kept)
	err := tx.QueryRow(ctx, `
		SELECT l.columns, l.dialect, l.source, l.warnings, coalesce(l.begin_offset, 0), coalesce(l.begin_line, 1),
		       coalesce((SELECT reason FROM sluice.rejects r WHERE r.job_id = l.job_id ORDER BY r.byte_offset LIMIT 1), ''),
		       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = $3)
		FROM sluice.loads l, pg_class c
		WHERE l.job_id = $1 AND l.columns IS NOT NULL AND c.relname = $2 AND c.relnamespace = to_regnamespace(quote_ident(l.schema_name))`,
		l.JobID, l.stagingName(), extraColumn).Scan(&columns, &dialect, &source, &warnings, &k.Begin, &k.Line, &k.FirstBad, &l.extra)
	if err == pgx.ErrNoRows { //nolint:errorlint // it is never wrapped
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was kept: %w", err)
	}
	k.Source = source
	for _, part := range []struct {
		data []byte
		into any
	}{{columns, &k.Columns}, {dialect, &k.Dialect}, {warnings, &k.Warnings}} {
		if part.data == nil {
			continue
		}
		if err := json.Unmarshal(part.data, part.into); err != nil {
			return nil, fmt.Errorf("decoding the ledger: %w", err)
		}
	}
	// A file may have a column of its own that is called so.
	l.extra = l.extra && !slices.ContainsFunc(k.Columns, func(c events.Column) bool { return c.Name == extraColumn })
	if found, err := l.readBatches(ctx, tx, k); err != nil || !found {
		return nil, err
	}
	return k, l.readMarks(ctx, tx, k)
}

// readBatches finds the gaps between the committed batches, and reports whether there are any batches. Those of an older
// Sluice, which kept no attempt, are as none: it is not known where the rows began, and on which lines.
func (l *Load) readBatches(ctx context.Context, tx pgx.Tx, k *Kept) (found bool, err error) {
	rows, err := tx.Query(ctx, `
		SELECT batch, start_offset, end_offset, coalesce(next_line, 0), rows, rejected, attempt
		FROM sluice.batches WHERE job_id = $1 ORDER BY start_offset, end_offset`, l.JobID)
	if err != nil {
		return false, fmt.Errorf("reading the batches: %w", err)
	}
	next := Gap{Start: k.Begin, Line: k.Line}
	var number, start, end, line, read, rejected, last, count int64
	var attempt *int64
	older := false
	_, err = pgx.ForEachRow(rows, []any{&number, &start, &end, &line, &read, &rejected, &attempt}, func() error {
		if start > next.Start {
			next.End = start
			k.Gaps = append(k.Gaps, next)
		}
		next = Gap{Start: end, Line: line, Rows: next.Rows + read, Rejected: next.Rejected + rejected}
		last, count = max(last, number), count+1
		if older = older || attempt == nil; !older {
			l.cameFurther(*attempt)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("reading the batches: %w", err)
	}
	next.End = -1
	k.Gaps = append(k.Gaps, next)
	l.numbers.Store(last)
	l.committed.Store(count)
	return count > 0 && !older, nil
}

func (l *Load) readMarks(ctx context.Context, tx pgx.Tx, k *Kept) error {
	rows, err := tx.Query(ctx, `
		SELECT digest_offset AS at, digest FROM sluice.batches WHERE job_id = $1 AND digest_offset > 0 UNION
		SELECT resume_offset, resume_digest FROM sluice.batches WHERE job_id = $1 AND resume_offset > 0 ORDER BY at`, l.JobID)
	if err == nil {
		k.Marks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Mark])
	}
	if err != nil {
		return fmt.Errorf("reading the marks of batches: %w", err)
	}
	return nil
}
