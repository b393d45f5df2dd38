package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/report"
	"sluice/test/bench/server"
)

// runTime is how long one run may take.
const runTime = 10 * time.Minute

// way is a way of loading a file into a table.
type way interface {
	name() string
	// prepare does, outside of the time, what the way needs to be there.
	prepare(ctx context.Context, f data.File, table string) error
	// load loads, and tells the time and what the client has used.
	load(ctx context.Context, f data.File, table string) (report.Figures, error)
}

// meter measures on one server.
type meter struct {
	*bench
	pg   *server.Server
	ways []way
	runs int // so far
}

// measure loads a file as often as it is to be, in every way by turns.
func (m *meter) measure(ctx context.Context, f data.File) (report.Case, error) {
	c := report.Case{File: f}
	for _, w := range m.ways {
		c.Series = append(c.Series, report.Series{Way: w.name()})
	}
	rounds := m.rounds
	if c.Latency() {
		rounds = m.jobs
	}
	seen := make([]server.Waits, len(m.ways))
	var same *server.Contents // of every table
	for round := -m.warmup; round < rounds; round++ {
		for _, n := range turns(len(m.ways), round) {
			figures, waits, contents, err := m.once(ctx, m.ways[n], f)
			if err != nil {
				return c, fmt.Errorf("%s: %w", m.ways[n].name(), err)
			}
			if same == nil {
				same = &contents
			}
			if contents != *same && !m.others || contents.Rows != f.Rows { // other loaders have ways of their own with NULL
				return c, fmt.Errorf("%s has made %+v of %d rows, another way %+v", m.ways[n].name(), contents, f.Rows, *same)
			}
			m.tell(c, round, n, figures)
			if round >= 0 {
				c.Series[n].Runs = append(c.Series[n].Runs, figures)
				seen[n] = add(seen[n], waits)
			}
		}
	}
	for n, waits := range seen {
		if m.waits {
			m.say("\n%s, %s\n\n%s\n", f.Name(), m.ways[n].name(), report.WaitTable(waits))
		}
	}
	return c, nil
}

// turns is the order of a round, in which each way comes first, in the middle and last by turns.
func turns(ways, round int) []int {
	order := make([]int, ways)
	for n := range order {
		order[n] = ((n+round)%ways + ways) % ways
	}
	return order
}

// once loads a file in one way, and leaves the server as it was.
func (m *meter) once(ctx context.Context, w way, f data.File) (
	figures report.Figures, waits server.Waits, contents server.Contents, err error,
) {
	ctx, cancel := context.WithTimeoutCause(ctx, runTime, errors.New("it takes too long"))
	defer cancel()
	m.runs++
	table := fmt.Sprintf("bench_%d", m.runs)
	if err := errors.Join(w.prepare(ctx, f, table), m.pg.Checkpoint(ctx)); err != nil {
		return figures, nil, contents, err
	}
	stopWatching := func() (server.Waits, error) { return nil, nil }
	if m.waits {
		if stopWatching, err = m.pg.WatchWaits(ctx); err != nil {
			return figures, nil, contents, err
		}
	}
	before, err := m.pg.CPU()
	if err != nil {
		return figures, nil, contents, err
	}
	figures, err = w.load(ctx, f, table)
	after, cpuErr := m.pg.CPU()
	waits, waitErr := stopWatching()
	if err := errors.Join(err, cpuErr, waitErr); err != nil {
		return figures, nil, contents, err
	}
	figures.Server = after - before
	contents, err = m.pg.Contents(ctx, table)
	return figures, waits, contents, errors.Join(err, m.pg.Drop(ctx, table))
}

func add(sum, waits server.Waits) server.Waits {
	if sum == nil {
		sum = server.Waits{}
	}
	for wait, count := range waits {
		sum[wait] += count
	}
	return sum
}

// tell says how a run went; of small files only the last.
func (m *meter) tell(c report.Case, round, way int, f report.Figures) {
	if c.Latency() && round < m.jobs-1 {
		return
	}
	what := "warm-up"
	if round >= 0 {
		what = fmt.Sprintf("round %d", round+1)
	}
	m.say("PostgreSQL %s  %-10s  %-8s  %-12s  %7.3f s  client %5.2f s %4d MB  rest %5.2f s  server %6.2f s\n",
		m.pg.Version, c.File.Name(), what, m.ways[way].name(),
		f.Wall.Seconds(), f.Client.Seconds(), f.Peak/1e6, f.Rest.Seconds(), f.Server.Seconds())
}
