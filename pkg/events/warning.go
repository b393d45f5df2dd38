package events

import "slices"

// maxWarningLines is how many lines a [Warning] tells.
const maxWarningLines = 10

// Warning counts one kind of repair that was made to the file's rows.
type Warning struct {
	Code  string  `json:"code"`
	Count int64   `json:"count"`
	Lines []int64 `json:"lines,omitempty"` // where it was met first, at most ten, in order
}

// The kinds of [Warning].
const (
	WarnUncertain        = "uncertain"         // how the file is written was no more than guessed
	WarnTitleLines       = "title_lines"       // lines above the header were skipped
	WarnShortRow         = "short_row"         // missing fields at the end of a row were filled with NULL
	WarnLongRow          = "long_row"          // surplus empty fields at the end of a row were dropped
	WarnExtraFields      = "extra_fields"      // values without a column were kept in the column _extra
	WarnStrayQuote       = "stray_quote"       // a quote inside of a quoted value was not doubled, and was kept
	WarnLengthUnverified = "length_unverified" // the server did not say how long the file is
	WarnBadRow           = "bad_row"           // of a preview: a row cannot be read
)

// warningOrder is the order in which warnings are listed.
func warningOrder() []string {
	return []string{
		WarnUncertain, WarnTitleLines, WarnShortRow, WarnLongRow, WarnExtraFields, WarnStrayQuote, WarnLengthUnverified, WarnBadRow,
	}
}

// MergeWarnings adds up warnings about several parts of one file, in whatever order they come: each kind once, with the sum of
// the counts and the first ten of the lines.
func MergeWarnings(lists ...[]Warning) []Warning {
	var merged []Warning
	for _, list := range lists {
		for _, w := range list {
			at := slices.IndexFunc(merged, func(m Warning) bool { return m.Code == w.Code })
			if at < 0 {
				at = len(merged)
				merged = append(merged, Warning{Code: w.Code})
			}
			merged[at].add(w)
		}
	}
	slices.SortStableFunc(merged, func(a, b Warning) int { return a.rank() - b.rank() })
	return merged
}

// rank is the warning's place in the order; a kind that is not in it comes last.
func (w Warning) rank() int {
	if i := slices.Index(warningOrder(), w.Code); i >= 0 {
		return i
	}
	return len(warningOrder())
}

func (w *Warning) add(other Warning) {
	w.Count += other.Count
	lines := slices.Concat(w.Lines, other.Lines)
	slices.Sort(lines)
	w.Lines = lines[:min(len(lines), maxWarningLines)]
}
