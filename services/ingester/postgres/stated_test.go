package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// TestUnfit holds that each value that a type does not take is found, wherever it stands among others, and why.
func TestUnfit(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	values := make([]string, 1000)
	for i := range values {
		values[i] = fmt.Sprint(i)
	}
	bad := map[int]string{0: "x", 499: "", 500: "1.5", 998: "99999999999", 999: "y'); DROP TABLE sluice.loads; --"}
	for i, value := range bad {
		values[i] = value
	}
	list, err := w.db.Unfit(ctx, "integer", values, false)
	w.must(err)
	if len(list) != len(bad) {
		t.Fatalf("unfit are %+v", list)
	}
	for i, r := range list {
		if value, known := bad[r.Place]; !known || !strings.Contains(r.Reason, value) || i > 0 && list[i-1].Place >= r.Place {
			t.Errorf("unfit is %+v, want one of %v", r, bad)
		}
	}
	for _, fit := range [][]string{nil, {"1"}, {"1", "2", "3"}} {
		if list, err := w.db.Unfit(ctx, "integer", fit, false); err != nil || len(list) > 0 {
			t.Errorf("of %q unfit are %v (%v)", fit, list, err)
		}
	}
	for kind, value := range map[string]string{
		"jsonb": strings.Repeat("[", 100_000), "numeric": "1e200000", "uuid": "1", "inet": "300.1.1.1", "xml": "<a>",
	} {
		if list, err := w.db.Unfit(ctx, kind, []string{value}, false); err != nil || len(list) != 1 || list[0].Reason == "" {
			t.Errorf("%s: unfit are %v (%v)", kind, list, err)
		}
	}
	if list, err := w.db.Unfit(ctx, "no_such_type", []string{"1"}, false); err == nil { // the values are not to blame
		t.Errorf("of a type that is gone unfit are %v", list)
	}
}

// TestTypesWithoutStagingTable holds that rows are not taken unlooked at where a server that crashed has lost the table.
func TestTypesWithoutStagingTable(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	claim := w.claim(1)
	claim.Spec.Types.Stated = map[string]events.ColumnType{"a": {Type: "integer"}}
	load, _, err := w.db.Open(ctx, claim)
	w.must(err)
	w.must(load.Prepare(ctx, postgres.File{Columns: columns("a"), Dialect: events.Dialect{Encoding: "utf-8"}}))
	if list, err := load.Types(ctx); err != nil || len(list) != 1 || list[0].SQL != "integer" {
		t.Fatalf("the types are %+v (%v)", list, err)
	}
	w.exec("DROP TABLE public.sluice_staging_" + strings.ReplaceAll(claim.JobID, "-", ""))
	if list, err := load.Types(ctx); !errors.Is(err, postgres.ErrFenceLost) {
		t.Errorf("the types are %+v (%v)", list, err)
	}
}
