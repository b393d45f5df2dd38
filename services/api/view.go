package api

import (
	"math"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

// viewJob is a job's status in the API's words.
func viewJob(s events.Status) openapi.Job {
	job := openapi.Job{
		ID:            s.ID,
		State:         openapi.JobState(s.State),
		Priority:      openapi.Priority(s.Spec.Priority),
		Source:        s.Spec.Source.URL,
		Schema:        s.Spec.Schema,
		Table:         optional(s.Table),
		Mode:          openapi.Mode(s.Spec.Mode),
		CreatedAt:     s.Spec.CreatedAt,
		StartedAt:     s.StartedAt,
		FinishedAt:    s.FinishedAt,
		NextAttemptAt: s.NextAttemptAt,
		Run:           s.Run,
		Attempt:       s.Attempt,
		QueuePosition: optional(s.QueuePosition),
		Progress:      viewProgress(s),
		Error:         viewFailure(s.Failure),
		Warnings:      []openapi.Warning{},
		Links:         openapi.Links{Self: jobPath(s.ID), Events: jobPath(s.ID) + "/events"},
	}
	if len(s.Spec.Labels) > 0 {
		job.Labels = &s.Spec.Labels
	}
	if s.Result != nil {
		job.Warnings = viewWarnings(s.Result.Warnings)
	}
	if s.Figures.Rejected > 0 {
		job.Links.Rejects = optional(jobPath(s.ID) + "/rejects")
	}
	if s.State == events.StateSucceeded {
		job.Links.Result = optional(jobPath(s.ID) + "/result")
		job.Links.Dataset = optional(datasetPath(s.Spec.Schema, s.Table))
	}
	return job
}

func viewTotals(t map[events.State]int) openapi.JobTotals {
	return openapi.JobTotals{
		Queued: t[events.StateQueued], Running: t[events.StateRunning], Retrying: t[events.StateRetrying],
		Cancelling: t[events.StateCancelling], Succeeded: t[events.StateSucceeded], Failed: t[events.StateFailed],
		Cancelled: t[events.StateCancelled],
	}
}

func viewProgress(s events.Status) openapi.Progress {
	f := s.Figures
	p := openapi.Progress{
		Phase:          optional(openapi.ProgressPhase(f.Phase)),
		Bytes:          f.Bytes,
		TotalBytes:     f.TotalBytes,
		Rows:           f.Rows,
		Rejected:       f.Rejected,
		BytesPerSecond: optional(f.BytesPerSecond),
	}
	if f.TotalBytes == nil {
		return p
	}
	percent := 100.0 // of an empty file
	if *f.TotalBytes > 0 {
		percent = min(100, math.Round(1e4*float64(f.Bytes)/float64(*f.TotalBytes))/100)
	}
	p.Percent = &percent
	if s.State == events.StateRunning && f.BytesPerSecond > 0 {
		eta := max(0, *f.TotalBytes-f.Bytes) / f.BytesPerSecond
		p.EtaSeconds = &eta
	}
	return p
}

func viewFailure(f *events.Failure) *openapi.JobError {
	if f == nil {
		return nil
	}
	return &openapi.JobError{
		Code: string(f.Code), Message: f.Message, Retryable: f.Retryable,
		Line: optional(f.Line), Column: optional(f.Column), ByteOffset: f.ByteOffset,
	}
}

func viewWarnings(list []events.Warning) []openapi.Warning {
	views := make([]openapi.Warning, len(list))
	for i, w := range list {
		views[i] = openapi.Warning{Code: w.Code, Count: w.Count}
		if len(w.Lines) > 0 {
			views[i].Lines = &w.Lines
		}
	}
	return views
}

func viewResult(jobID string, r events.Result) openapi.JobResult {
	return openapi.JobResult{
		JobID: jobID, Outcome: openapi.JobResultOutcome(r.Outcome), Schema: r.Schema, Table: r.Table,
		Rows: r.Rows, Rejected: r.Rejected, Bytes: r.Bytes, Columns: viewColumns(r.Columns),
		Dialect:  viewDialect(r.Dialect),
		Warnings: viewWarnings(r.Warnings), Checksum: r.Checksum, ResumedFrom: optional(r.ResumedFrom),
		Compression: optional(openapi.JobResultCompression(r.Compression)), Member: optional(r.Member),
		UnchangedSince: optional(r.UnchangedSince),
		Durations:      openapi.Durations{QueuedMs: r.Durations.QueuedMS, LoadingMs: r.Durations.LoadingMS},
	}
}

func viewColumns(list []events.Column) []openapi.Column {
	views := make([]openapi.Column, len(list))
	for i, c := range list {
		views[i] = openapi.Column{Original: c.Original, Name: c.Name, Type: c.Type, Rule: optional(c.Rule), Form: optional(c.Form)}
	}
	return views
}

func viewDialect(d events.Dialect) openapi.Dialect {
	if d.Header && d.HeaderRows == 0 { // before it was told, a header was one row
		d.HeaderRows = 1
	}
	return openapi.Dialect{
		Encoding: d.Encoding, Delimiter: d.Delimiter, Quote: d.Quote, Escape: d.Escape,
		Header: d.Header, HeaderRows: d.HeaderRows, SkipRows: d.SkipRows, Comment: optional(d.Comment),
		LineEnd: optional(openapi.DialectLineEnd(d.LineEnd)), Confidence: viewConfidence(d),
	}
}

// viewConfidence leaves out what was not told; told together with the line end, it may be 0.
func viewConfidence(d events.Dialect) *float64 {
	if d.LineEnd == "" {
		return nil
	}
	return &d.Confidence
}

// optional leaves out what is zero.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
