package main

import (
	"testing"

	"sluice/pkg/events"
)

func TestUnfinished(t *testing.T) {
	const look = "; see that an ingester runs and reaches Postgres"
	for _, c := range []struct {
		done events.Reconciled
		want string
	}{
		{events.Reconciled{Complete: true}, ""},
		{events.Reconciled{}, "the ledger was not read whole" + look},
		{events.Reconciled{Unchecked: 1}, "1 job could not be compared with the ledger" + look},
		{events.Reconciled{Unchecked: 2, Complete: true}, "2 jobs could not be compared with the ledger" + look},
	} {
		got := ""
		if err := unfinished(c.done); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("of %+v it says %q, want %q", c.done, got, c.want)
		}
	}
}
