package ingester

import (
	"context"
	"errors"
	"io"
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// load streams the job's file into its staging table and publishes it. Nothing of the file is kept but one batch.
func (a *attempt) load(ctx context.Context, load *postgres.Load) (*postgres.Outcome, error) {
	began := time.Now()
	a.report.restart()
	reporting, stop := context.WithCancel(ctx)
	defer stop()
	go a.report.progress(reporting)

	body, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // everything that matters was read by then
	file := &counter{from: body, report: a.report}
	rows := csv.NewReader(file, a.config.CSV)
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if err := load.Prepare(ctx, columns, rows.Dialect()); err != nil {
		return nil, err
	}
	a.report.phase(events.PhaseLoading)
	last, err := a.copy(ctx, load, rows)
	if err != nil {
		return nil, err
	}
	last.End = file.bytes // what follows the last record belongs to it
	a.report.phase(events.PhasePublishing)
	return load.Publish(ctx, last, a.publication(body, rows, columns, began))
}

// open asks the source for the file.
func (a *attempt) open(ctx context.Context) (*source.Body, error) {
	url, err := a.parts.Sealer.Open(a.job.ID, a.job.Spec.Source)
	if err != nil {
		return nil, events.Failf(events.CodeSecretUnreadable,
			"the sealed address of the source cannot be opened; give this ingester the same SLUICE_SECRET_KEY as the API").CausedBy(err)
	}
	body, err := a.parts.Source.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	if size, known := body.Size(); known {
		a.report.update(func(f *events.Figures) { f.TotalBytes = &size })
	}
	return body, nil
}

// copy commits the file's records in batches and returns the last one, which is to be committed with the publishing.
func (a *attempt) copy(ctx context.Context, load *postgres.Load, rows *csv.Reader) (*postgres.Batch, error) {
	batch := new(postgres.Batch)
	began := time.Now()
	for n := int64(1); ; n++ {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return batch, nil
		}
		if err != nil {
			return nil, err
		}
		if a.full(batch, began) { // there is a record behind it, so it is not the last one
			if err := load.Commit(ctx, batch); err != nil {
				return nil, err
			}
			batch.Reset(batch.End)
			began = time.Now()
		}
		if batch.Rows == 0 {
			batch.FirstLine = record.Line
		}
		batch.Append(record.Values)
		batch.End = record.End
		a.report.update(func(f *events.Figures) { f.Rows = n })
	}
}

func (a *attempt) full(b *postgres.Batch, began time.Time) bool {
	return b.Size() >= a.config.BatchBytes || b.Rows > 0 && time.Since(began) >= a.config.BatchTime
}

// publication describes the dataset.
func (a *attempt) publication(body *source.Body, rows *csv.Reader, columns []events.Column, began time.Time) postgres.Publication {
	now := time.Now().UTC().Truncate(time.Millisecond)
	spec := a.job.Spec
	figures := a.report.figures()
	figures.Phase, figures.BytesPerSecond = events.PhaseDone, 0
	figures.TotalBytes = &figures.Bytes
	p := postgres.Publication{
		Table: spec.Table, Figures: figures, At: now,
		Result: events.Result{
			Outcome: "loaded", Bytes: figures.Bytes, Columns: reportable(columns), Dialect: rows.Dialect(),
			Warnings: warnings(body, rows), Checksum: body.Checksum(),
			Durations: events.Durations{
				QueuedMS: began.Sub(spec.CreatedAt).Milliseconds(), LoadingMS: now.Sub(began).Milliseconds(),
			},
		},
	}
	if p.Table == "" {
		p.Table, p.Derived = postgres.DerivedName(source.Stem(body.Name()), spec.CreatedAt), true
	}
	return p
}

func warnings(body *source.Body, rows *csv.Reader) []events.Warning {
	list := append([]events.Warning{}, rows.Warnings()...)
	if !body.LengthVerified() {
		list = append(list, events.Warning{Code: events.WarnLengthUnverified, Count: 1})
	}
	return list
}

// counter counts the bytes of a file as they are read.
type counter struct {
	from   io.Reader
	report *reporter
	bytes  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	c.report.update(func(f *events.Figures) { f.Bytes = c.bytes })
	return n, err
}
