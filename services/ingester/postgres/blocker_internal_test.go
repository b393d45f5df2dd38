package postgres

import (
	"slices"
	"testing"
	"time"
)

func TestBlockersAreNamed(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 5, time.FixedZone("", 3600))
	for want, b := range map[string]blocker{
		"session 7 (psql, role ann) is idle in a transaction that began at 2026-03-02T11:00:00Z": {7, "psql", "role ann", "idle in transaction", &at},
		"session 7 (role ann) is active in a transaction that began at 2026-03-02T11:00:00Z":     {7, "", "role ann", "active", &at},
		"session 7 (psql, role ann)":                          {7, "psql", "role ann", "", nil}, // which a role without pg_read_all_stats is told of others
		"session 7 (autovacuum worker)":                       {7, "", "autovacuum worker", "", nil},
		"a prepared transaction, as pg_prepared_xacts has it": {},
	} {
		if got := b.String(); got != want {
			t.Errorf("%+v is %q, want %q", b, got, want)
		}
	}
	one := blocker{PID: 7, Who: "role ann"}
	if got := blockers(slices.Repeat([]blocker{one}, 5)).String(); got != "session 7 (role ann), session 7 (role ann), session 7 (role ann) and 2 more" {
		t.Errorf("many are %q", got)
	}
}
