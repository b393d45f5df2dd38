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

// appendTo adds the warning to a report if there is something to warn of.
func (w *warning) appendTo(report []events.Warning, code string) []events.Warning {
	if w.count == 0 {
		return report
	}
	return append(report, events.Warning{Code: code, Count: w.count, Lines: append([]int64(nil), w.lines...)})
}
