package ingester

import (
	"context"
	"errors"
	"time"

	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
	"sluice/services/ingester/typed"
)

// load streams the job's file into its staging table and publishes it. Nothing of the file is kept in memory but one batch.
// It goes on with what earlier attempts have committed, unless the source has changed since.
func (a *attempt) load(ctx context.Context, load *postgres.Load) (*postgres.Outcome, error) {
	began, kept := time.Now(), usable(load.Kept())
	a.report.restart(figuresOf(kept))
	reporting, stop := context.WithCancel(ctx)
	defer stop()
	go a.report.progress(reporting)

	outcome, err := a.loadRest(ctx, load, kept, began)
	if kept == nil || !errors.Is(err, source.ErrChanged) && !errors.Is(err, csv.ErrMoved) {
		return outcome, err
	}
	a.log.Warn("what was committed of the file is discarded; loading it from its start", "err", err)
	a.report.restart(figuresOf(nil))
	return a.loadRest(ctx, load, nil, began)
}

// loadRest loads what is missing to what is kept, or the whole file, and publishes all of it.
func (a *attempt) loadRest(ctx context.Context, load *postgres.Load, kept *postgres.Kept, began time.Time) (*postgres.Outcome, error) {
	address, err := a.parts.address(a.job.ID, a.job.Spec.Source)
	if err != nil {
		return nil, err
	}
	body, err := a.open(ctx, address, kept)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		if err := recognise(ctx, load, kept, body); err != nil {
			_ = body.Close()
			return nil, err
		}
	}
	key := a.sourceKey(address.URL, body.Name(), body.Charset())
	if outcome, err := a.skipUnchanged(ctx, load, body, key, began); outcome != nil || err != nil {
		_ = body.Close() // unread
		return outcome, err
	}
	in, from := &file{Body: body, report: a.report}, body.Offset()
	body.OnSent(in.tell)
	ahead := readAhead(in, a.draining)
	defer func() {
		_ = body.Close() // everything that matters was read by then
		ahead.close()
	}()
	copier := load.Copier(ctx, a.sharing(in))
	defer copier.Close()
	text := sections{csv.NewSections(ahead, from), ahead}
	var rows *csv.Reader
	var check *typed.Checker
	for n, gap := range gapsOf(kept) {
		copier.Cut() // what lies between two gaps may be long in coming
		if err := text.Enter(gap.Start, max(gap.End, 0)); err != nil {
			return nil, keep(copier, postgres.Block{}, err)
		}
		rows = csv.NewReader(text, a.reading(body, text, resumption(kept, gap, a.report.figures())))
		if kept == nil {
			gap.Start, err = a.prepare(ctx, load, rows, body)
		}
		if err == nil && n == 0 {
			check, err = a.checker(ctx, load, rows)
		}
		if err == nil {
			if copier.Skip(gap.Start); check != nil {
				rows.TellPlaces()
			}
			err = a.copy(ctx, copier, rows, text, check)
		}
		if err != nil {
			return nil, suspect(body, err)
		}
	}
	// What follows the last record belongs to it.
	return copier.Publish(in.Offset(), func() postgres.Publication {
		a.report.phase(events.PhasePublishing)
		p := a.publication(body, rows, key, began)
		if kept != nil {
			p.Result.ResumedFrom = kept.Gaps[0].Start
		}
		return p
	})
}

// suspect says of a row that is no text that the compressed file it comes from may be damaged: its checksum lies behind the row.
func suspect(body *source.Body, err error) error {
	f, ok := errors.AsType[*events.Failure](err)
	if !ok || body.Compression() == "" || f.Code != events.CodeNULByte && f.Code != events.CodeBadEncoding {
		return err
	}
	told := *f
	told.Message += "; or the " + body.Compression() + " data is damaged: test the file where it comes from"
	return &told
}

// prepare finds out how the file is read, makes the staging table for it, and returns where the first row starts.
func (a *attempt) prepare(ctx context.Context, load *postgres.Load, rows *csv.Reader, body *source.Body) (begin int64, err error) {
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	validator, err := validatorOf(body)
	if err != nil {
		return 0, err
	}
	begin, line := rows.Begin()
	return begin, load.Prepare(ctx, postgres.File{
		Columns: columns, Dialect: rows.Dialect(), Source: validator, Warnings: rows.TakeWarnings(), Begin: begin, Line: line,
	})
}

// address is the whole address of a source that was sealed for a job or a question of this id.
func (p Parts) address(id string, of events.Source) (seal.Address, error) {
	address, err := p.Sealer.Open(id, of)
	if err != nil {
		return seal.Address{}, events.Failf(events.CodeSecretUnreadable,
			"the sealed address of the source cannot be opened; give this ingester the same SLUICE_SECRET_KEY as the API").CausedBy(err)
	}
	return address, nil
}

// open asks the source for the file, from where what is kept of it ends.
func (a *attempt) open(ctx context.Context, address seal.Address, kept *postgres.Kept) (*source.Body, error) {
	body, err := a.ask(ctx, source.Request{URL: address.URL, Headers: address.Headers, Member: a.job.Spec.Source.Member}, kept)
	if err != nil {
		return nil, err
	}
	size, known := body.Size()
	a.report.update(func(f *events.Figures) {
		if body.Compression() != "" { // even if it was not when it was begun: all of it is sent again
			f.Bytes = 0
		}
		if known {
			f.TotalBytes = &size
		}
	})
	return body, nil
}
