package ingester

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sluice/pkg/columntype"
	"sluice/pkg/events"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/typed"
)

// TestUncheckedRowsAreNotKept holds that nothing is left to be sent of rows that the database could not be asked about: what
// was read is kept when an attempt breaks off.
func TestUncheckedRowsAreNotKept(t *testing.T) {
	is, err := columntype.Parse(events.ColumnType{Type: "jsonb"})
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("away")
	check := typed.New(typed.Config{
		Columns:   []typed.Column{{Name: "a", Type: is, SQL: "jsonb"}},
		Delimiter: ",", Ask: func(context.Context, string, []string, bool) ([]columntype.Refusal, error) { return nil, away },
	})
	rows := csv.NewReader(strings.NewReader("a\nx\ny,z\ny\n"), csv.Options{
		BadRows: csv.BadRows{Count: 1}, Stated: &events.CSV{Delimiter: new(","), Header: new(true)},
	})
	if _, err := rows.Columns(); err != nil {
		t.Fatal(err)
	}
	rows.TellPlaces()
	block := csv.Rows{Data: make([]byte, 0, csv.MinRows)}
	for err == nil {
		_, err = rows.ReadRows(&block)
	}
	if block.Count == 0 || len(block.Rejects) == 0 {
		t.Fatalf("nothing was read: %v", err)
	}
	a := &attempt{report: newReporter(nil, events.Job{}, "w1")}
	if err := a.fit(t.Context(), check, rows, &block); !errors.Is(err, away) || !block.Empty() || len(block.Data) > 0 {
		t.Errorf("%v, and %d rows are left", err, block.Count)
	}
}
