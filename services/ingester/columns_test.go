package ingester

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sluice/pkg/events"
)

func TestReportableFitsAMessage(t *testing.T) {
	wide := make([]events.Column, 1600)
	for i := range wide { // every character of a cell and of a name takes six bytes in JSON
		wide[i] = events.Column{
			Original: strings.Repeat("<", 256), Name: fmt.Sprintf("%04d", i) + strings.Repeat("<", 59), Type: "text", Rule: "too_long",
		}
	}
	report := reportable(wide)
	data, err := json.Marshal(report)
	if err != nil || len(data) > maxColumnsReport {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if len(report) != len(wide) || report[1599].Name != wide[1599].Name {
		t.Errorf("%d columns, the last %q", len(report), report[len(report)-1].Name)
	}
}

func TestReportableKeepsWhatFits(t *testing.T) {
	columns := []events.Column{{Original: strings.Repeat("é", 128), Name: "a", Type: "text"}}
	if report := reportable(columns); report[0] != columns[0] {
		t.Errorf("%+v", report[0])
	}
}
