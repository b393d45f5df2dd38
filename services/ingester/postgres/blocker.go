package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// lookEvery is how often it is looked who keeps a transaction waiting: well within [publishPatience].
	lookEvery = time.Second
	// lookTime bounds one look. It is no matter if it takes longer: then nobody is named.
	lookTime = time.Second
)

// blocker is a session that keeps another one waiting, as far as this role may know of it: nothing of what it asks.
type blocker struct {
	PID         int32 // 0: a prepared transaction, which has no session
	Application string
	Who         string     // its role, or what kind of process it is
	State       string     // as pg_stat_activity has it
	Began       *time.Time // its transaction
}

// String says whom to ask.
func (b blocker) String() string {
	if b.PID == 0 {
		return "a prepared transaction, as pg_prepared_xacts has it"
	}
	said := fmt.Sprintf("session %d", b.PID)
	switch {
	case b.Application != "" && b.Who != "":
		said += " (" + b.Application + ", " + b.Who + ")"
	case b.Application+b.Who != "":
		said += " (" + b.Application + b.Who + ")"
	}
	if b.Began == nil {
		return said
	}
	does := "active"
	if strings.HasPrefix(b.State, "idle") {
		does = "idle"
	}
	return said + " is " + does + " in a transaction that began at " + b.Began.UTC().Format(time.RFC3339)
}

// blockers are all that keep one waiting.
type blockers []blocker

func (all blockers) String() string {
	const most = 3
	said := make([]string, 0, most)
	for _, b := range all[:min(len(all), most)] {
		said = append(said, b.String())
	}
	text := strings.Join(said, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// watchBlockers looks now and then who keeps a transaction waiting: once it has given up waiting, nobody could tell. What it returns
// ends that, and returns who did so of late.
func (db *Database) watchBlockers(ctx context.Context, tx pgx.Tx) (ended func() blockers, err error) {
	var pid int32
	if err := tx.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil { // behind a pooler it is not the connection's
		return nil, fmt.Errorf("asking for the session: %w", failure(err))
	}
	ctx, stop := context.WithCancel(ctx)
	seen := make(chan blockers, 1)
	go func() { seen <- db.lookOut(ctx, pid) }()
	return func() blockers { stop(); return <-seen }, nil
}

func (db *Database) lookOut(ctx context.Context, pid int32) blockers {
	var last blockers
	var at time.Time
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			if time.Since(at) > 2*lookEvery {
				return nil // they were in the way of an earlier step
			}
			return last
		case <-look.C:
			if found := db.blockersOf(ctx, pid); len(found) > 0 {
				last, at = found, time.Now()
			}
		}
	}
}

func (db *Database) blockersOf(ctx context.Context, pid int32) blockers {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	rows, err := db.asking.Query(ctx, `
		SELECT b.pid, coalesce(a.application_name, ''), coalesce('role ' || a.usename, a.backend_type, ''), coalesce(a.state, ''), a.xact_start
		FROM (SELECT DISTINCT unnest(pg_blocking_pids($1)) AS pid) AS b LEFT JOIN pg_stat_activity a ON a.pid = b.pid
		ORDER BY a.xact_start, b.pid LIMIT 20`, pid)
	if err != nil {
		return nil
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[blocker])
	if err != nil {
		return nil
	}
	return found
}
