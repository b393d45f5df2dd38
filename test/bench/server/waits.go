package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

const sampleEvery = 10 * time.Millisecond

// Wait is what a backend was seen to wait for.
type Wait struct{ Type, Event string } // both empty: it computed

// Waits count what the backends of others were seen to do while they had a statement or a transaction.
type Waits map[Wait]int

// Sorted returns what was seen, the most frequent first.
func (w Waits) Sorted() []Wait {
	var seen []Wait
	for wait := range w {
		seen = append(seen, wait)
	}
	slices.SortFunc(seen, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(w[b], w[a]), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Event, b.Event))
	})
	return seen
}

// WatchWaits looks at the backends every 10 ms until the returned function is called, which returns what was seen. The
// looking itself takes some percent of a core.
func (s *Server) WatchWaits(ctx context.Context) (func() (Waits, error), error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	waits, stop, done := Waits{}, make(chan struct{}), make(chan error, 1)
	go func() {
		err := waits.watch(ctx, conn, stop)
		done <- errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}()
	return func() (Waits, error) {
		close(stop)
		return waits, <-done
	}, nil
}

func (w Waits) watch(ctx context.Context, conn *pgx.Conn, stop <-chan struct{}) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return nil
		}
		if err := w.sample(ctx, conn); err != nil {
			return err
		}
	}
}

func (w Waits) sample(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT coalesce(wait_event_type, ''), coalesce(wait_event, '') FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND state <> 'idle' AND application_name <> $1`, ourName)
	if err != nil {
		return fmt.Errorf("looking at the backends: %w", err)
	}
	seen, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Wait])
	if err != nil {
		return fmt.Errorf("looking at the backends: %w", err)
	}
	for _, wait := range seen {
		w[wait]++
	}
	return nil
}
