package ingester

import (
	"encoding/json"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

// maxPreviewed bounds a preview, encoded: it travels in one message, whose limit is 1 MiB.
const maxPreviewed = 900 << 10

// fitAnswer shortens a preview so that it fits into a message: cells of the header first if there are many, then values so far
// that one row fits, and then it leaves out the last rows.
func fitAnswer(found events.Previewed) events.Previewed {
	columns := reportable(found.Columns)
	for i := range columns {
		found.Cut = found.Cut || len(columns[i].Original) < len(found.Columns[i].Original)
	}
	found.Columns = columns
	rows := found.Rows
	found.Rows = [][]*string{}
	room := maxPreviewed - encodedSize(found)
	for _, size := range []int{sampledValue, 200, 40, 8} {
		fitting, shortened := fitRows(rows, size, room)
		if len(fitting) == 0 && len(rows) > 0 {
			continue
		}
		found.Rows, found.Cut = fitting, found.Cut || shortened || len(fitting) < len(rows)
		return found
	}
	found.Cut = true
	return found
}

// fitRows returns the first rows that have room, in bytes, with values of a size at most.
func fitRows(rows [][]*string, size, room int) (fitting [][]*string, shortened bool) {
	fitting = [][]*string{}
	for _, row := range rows {
		short := make([]*string, len(row))
		for i, value := range row {
			if value == nil || len(*value) <= size {
				short[i] = value
				continue
			}
			text := csv.Cut(*value, size)
			short[i], shortened = &text, true
		}
		if room -= encodedSize(short) + len(","); room < 0 {
			return fitting, shortened
		}
		fitting = append(fitting, short)
	}
	return fitting, shortened
}

// encodedSize is how many bytes of JSON make a value that can be encoded.
func encodedSize(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return maxPreviewed
	}
	return len(data)
}
