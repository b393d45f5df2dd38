package csv

import "sluice/pkg/events"

// warnedLines is how many lines a warning names.
const warnedLines = 10

// warning counts one kind of repair.
type warning struct {
	count int64
	lines []int64
}

func (w *warning) add(line int64) {
	w.count++
	if len(w.lines) < warnedLines {
		w.lines = append(w.lines, line)
	}
}

// repairs counts what was repaired or guessed since it was asked for last.
type repairs struct {
	unsure bool // how the file is written was no more than guessed
	titles warning
	short  warning
	long   warning
	extra  warning
	mended warning
}

// TakeWarnings counts the repairs made to the records read since it was called last, with the first ten lines of each kind
// since then: title_lines for those above the header that were skipped without being asked to, short_row for missing fields
// that were filled with NULL, long_row for surplus empty fields that were dropped, extra_fields for values without a column
// that were kept, and stray_quote for quotes that were not doubled and were kept. Before them stands uncertain when how the
// file is written was no more than guessed. What is above the rows is told from when Columns has returned.
func (r *Reader) TakeWarnings() []events.Warning {
	taken := r.repairs
	r.repairs = repairs{}
	return taken.report()
}

func (p *repairs) report() []events.Warning {
	var list []events.Warning
	if p.unsure {
		list = append(list, events.Warning{Code: events.WarnUncertain, Count: 1})
	}
	for _, kind := range []struct {
		code string
		warning
	}{
		{events.WarnTitleLines, p.titles}, {events.WarnShortRow, p.short}, {events.WarnLongRow, p.long},
		{events.WarnExtraFields, p.extra}, {events.WarnStrayQuote, p.mended},
	} {
		if kind.count > 0 {
			list = append(list, events.Warning{Code: kind.code, Count: kind.count, Lines: kind.lines})
		}
	}
	return list
}
