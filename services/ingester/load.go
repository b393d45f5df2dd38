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
	counted := &counter{from: body, report: a.report}
	file := readAhead(counted)
	defer func() {
		_ = body.Close() // everything that matters was read by then
		file.close()
	}()
	rows := csv.NewReader(file, a.reading(body, file))
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if err := load.Prepare(ctx, columns, rows.Dialect()); err != nil {
		return nil, err
	}
	a.report.phase(events.PhaseLoading)
	copier := load.Copier(ctx, a.sharing(body))
	defer copier.Close()
	if err := a.copy(copier, rows, file); err != nil {
		return nil, err
	}
	// What follows the last record belongs to it.
	return copier.Publish(counted.bytes, func() postgres.Publication {
		a.report.phase(events.PhasePublishing)
		return a.publication(body, rows, columns, began)
	})
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

// copy hands the file's records over in blocks. What a slow source has brought is committed from time to time.
func (a *attempt) copy(copier *postgres.Copier, rows *csv.Reader, file *ahead) error {
	block, done := csv.Rows{Data: copier.Buffer()}, int64(0)
	due := time.Now().Add(a.config.BatchTime)
	for atHand := true; ; {
		var full bool
		var err error
		if atHand || file.await(time.Until(due)) {
			full, err = rows.ReadRows(&block)
		}
		ended := err == io.EOF //nolint:errorlint // a wrapped one is not the end
		a.report.update(func(f *events.Figures) { f.Rows, f.Rejected = done+block.Count, rows.Rejected() })
		if err != nil && !ended {
			return errors.Join(err, keepRejects(copier, block, err))
		}
		late := time.Now().After(due)
		if (full || late || ended) && !block.Empty() {
			done += block.Count
			if err := copier.Write(blockOf(block)); err != nil {
				return err
			}
			block = csv.Rows{Data: copier.Buffer()}
		}
		if ended {
			return nil
		}
		if late {
			copier.Cut()
			due = time.Now().Add(a.config.BatchTime)
		}
		atHand = full
	}
}

// keepRejects commits the rejected rows that a job fails because of, so that its user can see them.
func keepRejects(copier *postgres.Copier, block csv.Rows, why error) error {
	var f *events.Failure
	if !errors.As(why, &f) || f.Code != events.CodeTooManyBadRows {
		return nil
	}
	if err := copier.Write(blockOf(block)); err != nil {
		return err
	}
	return copier.Flush()
}

// sharing says how the file is shared out to connections.
func (a *attempt) sharing(body *source.Body) postgres.CopierConfig {
	config := postgres.CopierConfig{Connections: a.config.Connections, BatchBytes: a.config.BatchBytes}
	if config.Connections == 0 {
		config.Connections = a.parts.Database.Connections()
	}
	if a.job.Spec.Ordered {
		config.Connections = 1
	}
	config.FileBytes, _ = body.Size()
	return config
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
