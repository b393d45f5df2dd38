package events_test

import (
	"fmt"
	"testing"

	"sluice/pkg/events"
)

func TestMergeWarnings(t *testing.T) {
	t.Parallel()
	many := func(from int64) (lines []int64) {
		for n := range int64(10) {
			lines = append(lines, from+n)
		}
		return lines
	}
	got := events.MergeWarnings(
		[]events.Warning{{Code: "new", Count: 1}, {Code: events.WarnLongRow, Count: 12, Lines: many(50)}},
		nil,
		[]events.Warning{{Code: events.WarnLengthUnverified, Count: 1}, {Code: events.WarnStrayQuote, Count: 1, Lines: []int64{7}}},
		[]events.Warning{{Code: events.WarnUncertain, Count: 1}, {Code: events.WarnLongRow, Count: 2, Lines: []int64{3, 4}}},
	)
	want := "[{uncertain 1 []} {long_row 14 [3 4 50 51 52 53 54 55 56 57]} {stray_quote 1 [7]} {length_unverified 1 []} {new 1 []}]"
	if shown := fmt.Sprint(got); shown != want {
		t.Errorf("merged to %s, want %s", shown, want)
	}
	if events.MergeWarnings() != nil || events.MergeWarnings(nil, nil) != nil {
		t.Error("no warnings are some")
	}
}
