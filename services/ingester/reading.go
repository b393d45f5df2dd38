package ingester

import (
	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/postgres"
	"sluice/services/ingester/source"
)

// reading says how the job's file is to be read: as the job states it, and what it does not state is detected or, where the
// reading is resumed, as it was.
func (a *attempt) reading(body *source.Body, file sections, resume *csv.Resume) csv.Options {
	options := readingOf(a.job.Spec, body, a.config.Limits)
	options.BadRows, options.Resume, options.Ready = csv.BadRows(a.job.Spec.MaxBadRows), resume, file.await
	return options
}

// readingOf says how a file is to be read from its start, where no row may be bad.
func readingOf(spec events.Spec, body *source.Body, limits csv.Limits) csv.Options {
	var taken []string
	if spec.Lineage {
		taken = postgres.LineageColumns()
		limits.Columns -= len(taken) // for which the table needs room
	}
	return csv.Options{
		Limits:  limits,
		Lines:   spec.Lineage,
		Taken:   taken,
		Stated:  &spec.CSV,
		Charset: body.Charset(),
		Null:    spec.Null,
		Snake:   spec.ColumnNames == events.SnakeNames,
		Mend:    true,
		Rescue:  spec.ExtraFields != events.RejectExtra,
	}
}

// blockOf hands rows as they were read over to the database.
func blockOf(rows csv.Rows, from *csv.Reader) postgres.Block {
	block := postgres.Block{
		Data: rows.Data, Delimiter: rows.Delimiter, Null: rows.Null, Extra: rows.Extra,
		Count: rows.Count, FirstLine: rows.FirstLine, End: rows.End, NextLine: rows.NextLine, Warnings: from.TakeWarnings(),
	}
	for _, r := range rows.Rejects {
		block.Rejects = append(block.Rejects, postgres.Reject{
			Line: r.Line, Offset: r.Offset, Column: r.Column, ColumnName: r.Name, Code: r.Code, Reason: r.Reason, Raw: r.Raw,
		})
	}
	return block
}
