package ingester

import (
	"encoding/json"
	"strings"

	"sluice/pkg/events"
)

// maxColumnsReport bounds the columns in a result, encoded: result, document and answer each travel in one message,
// whose limit is 1 MiB.
const maxColumnsReport = 700 << 10

// reportable returns the columns as a result may tell them. Of a very wide file the header's cells are cut further; the
// names, which Postgres bounds, are always whole.
func reportable(columns []events.Column) []events.Column {
	for _, cell := range []int{256, 64, 16, 0} {
		report := make([]events.Column, len(columns))
		for i, c := range columns {
			c.Original = strings.ToValidUTF8(c.Original[:min(cell, len(c.Original))], "")
			report[i] = c
		}
		if data, err := json.Marshal(report); err == nil && len(data) <= maxColumnsReport {
			return report
		}
	}
	return columns[:0]
}
