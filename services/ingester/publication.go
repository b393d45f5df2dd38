package ingester

import (
	"time"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// publication describes the dataset.
func (a *attempt) publication(body *source.Body, rows *csv.Reader, key string, began time.Time) postgres.Publication {
	p := a.ending(body, key, began)
	columns, _ := rows.Columns() // which were had already
	p.Result = events.Result{
		Outcome: events.OutcomeLoaded, Bytes: p.Figures.Bytes, Columns: reportable(columns), Dialect: rows.Dialect(),
		Warnings: []events.Warning{}, Checksum: body.Checksum(), Compression: body.Compression(), Member: body.Member(),
		Durations: p.Result.Durations,
	}
	if !body.LengthVerified() {
		p.Result.Warnings = append(p.Result.Warnings, events.Warning{Code: events.WarnLengthUnverified, Count: 1})
	}
	return p
}

// ending is what there is to say of the end of the run whether or not it has loaded anything.
func (a *attempt) ending(body *source.Body, key string, began time.Time) postgres.Publication {
	now := time.Now().UTC().Truncate(time.Millisecond)
	spec := a.job.Spec
	figures := a.report.figures()
	figures.Phase, figures.BytesPerSecond = events.PhaseDone, 0
	figures.TotalBytes = &figures.Bytes
	p := postgres.Publication{
		Table: spec.Table, Figures: figures, At: now, SourceKey: key,
		Result: events.Result{Durations: events.Durations{
			QueuedMS: began.Sub(spec.CreatedAt).Milliseconds(), LoadingMS: now.Sub(began).Milliseconds(),
		}},
	}
	if p.Table == "" {
		p.Table, p.Derived = postgres.DerivedName(source.Stem(body.Name()), spec.CreatedAt), true
	}
	return p
}
