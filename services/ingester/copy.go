package ingester

import (
	"context"
	"errors"
	"io"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/typed"
)

// copy hands the file's records over in blocks. What a slow source has brought is committed from time to time, and so is all
// that was read when the service is shut down.
func (a *attempt) copy(ctx context.Context, copier *postgres.Copier, rows *csv.Reader, file sections, check *typed.Checker) error {
	a.report.phase(events.PhaseLoading)
	a.copying.Store(true)
	block, before := csv.Rows{Data: copier.Buffer()}, a.report.figures()
	done, rejected := before.Rows, before.Rejected-rows.Rejected() // by other readers
	due := time.Now().Add(a.config.BatchTime)
	for atHand := true; ; {
		var full bool
		var err error
		if atHand || file.await(time.Until(due)) {
			full, err = rows.ReadRows(&block)
		}
		ended := err == io.EOF //nolint:errorlint // a wrapped one is not the end
		a.report.update(func(f *events.Figures) { f.Rows, f.Rejected = done+block.Count, rejected+rows.Rejected() })
		if err != nil && !ended {
			if unfit := a.fit(ctx, check, rows, &block); unfit != nil {
				err = unfit // which comes first
			}
			return keep(copier, blockOf(block, rows), err)
		}
		late, draining := time.Now().After(due), a.isDraining()
		if (full || late || ended || draining) && !block.Empty() {
			if err := a.fit(ctx, check, rows, &block); err != nil {
				return keep(copier, blockOf(block, rows), err)
			}
			done += block.Count
			if err := copier.Write(blockOf(block, rows)); err != nil {
				return err
			}
			block = csv.Rows{Data: copier.Buffer()}
		}
		switch {
		case ended:
			return nil
		case draining:
			return errors.Join(errDraining, copier.Flush())
		case late:
			copier.Cut()
			due = time.Now().Add(a.config.BatchTime)
		}
		atHand = full
	}
}

// fit sees to it that all values fit the types of their columns. Rows that do not fit are rejected; it fails if there are too
// many of them.
func (a *attempt) fit(ctx context.Context, check *typed.Checker, rows *csv.Reader, block *csv.Rows) error {
	if check == nil || block.Count == 0 {
		return nil
	}
	unfit, err := check.Check(ctx, block)
	switch {
	case err == nil && len(unfit) == 0:
		return nil
	case err == nil && !rows.Tolerant():
		err = unfit[0].Failure
	}
	if err != nil {
		*block = csv.Rows{} // of which not all is known: nothing of it may be kept
		return err
	}
	rejects := make([]csv.Reject, len(unfit))
	for i, r := range unfit {
		rejects[i] = r.Reject
	}
	before := rows.Rejected()
	err = rows.Recount(block, rejects)
	a.report.update(func(f *events.Figures) {
		f.Rows, f.Rejected = f.Rows-int64(len(unfit)), f.Rejected+rows.Rejected()-before
	})
	return err
}

// checker returns what looks at the values of rows, or nil if all values are taken.
func (a *attempt) checker(ctx context.Context, load *postgres.Load, rows *csv.Reader) (*typed.Checker, error) {
	types, err := load.Types(ctx)
	if err != nil || types == nil {
		return nil, err
	}
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	columns := make([]typed.Column, len(names))
	for i, t := range types {
		columns[i] = typed.Column{Name: names[i].Name, Type: t.Type, SQL: t.SQL, NotNull: t.NotNull}
	}
	dialect := rows.Dialect()
	return typed.New(typed.Config{
		Columns: columns, Delimiter: dialect.Delimiter, Quote: dialect.Quote, Ask: a.parts.Database.Unfit, First: !rows.Tolerant(),
	}), nil
}

// keep commits what was read before a file broke off, for the next attempt to go on with, and the rejected rows that a job
// fails because of, so that its user can see them. It returns why reading ended, or why that is not what matters.
func keep(copier *postgres.Copier, block postgres.Block, why error) error {
	var f *events.Failure
	if !errors.As(why, &f) || !f.Retryable && f.Code != events.CodeTooManyBadRows {
		return why
	}
	if block.Count > 0 || len(block.Rejects) > 0 {
		if err := copier.Write(block); err != nil {
			return err
		}
	}
	if err := copier.Flush(); err != nil {
		return err
	}
	return why
}

// sharing says how the file is shared out to connections.
func (a *attempt) sharing(in *file) postgres.CopierConfig {
	config := postgres.CopierConfig{Connections: a.config.Connections, BatchBytes: a.config.BatchBytes, Marks: in.marksAround}
	if config.Connections == 0 {
		config.Connections = a.parts.Database.Connections()
	}
	if a.job.Spec.Ordered {
		config.Connections = 1
	}
	if in.Compression() == "" { // or else nobody knows how many there will be
		config.FileBytes, _ = in.Size()
	}
	return config
}
