package ingester_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// await waits for an event of a job.
func (e *env) await(job events.Job, t events.Type) events.Event {
	e.t.Helper()
	var found events.Event
	testenv.Eventually(e.ctx, e.t, "event "+string(t), func() error {
		event, _, ok, err := e.bus.Events.Last(e.ctx, job.ID, t)
		if err == nil && !ok {
			err = errors.New("not there")
		}
		found = event
		return err
	})
	return found
}

// history returns a job's events in the order in which they were stored.
func (e *env) history(job events.Job) []events.Event {
	e.t.Helper()
	stream, err := e.js.Stream(e.ctx, bus.EventsStream)
	if err != nil {
		e.t.Fatal(err)
	}
	var list []events.Event
	for s := uint64(1); s <= stream.CachedInfo().State.LastSeq; s++ {
		msg, err := stream.GetMsg(e.ctx, s)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			e.t.Fatal(err)
		}
		event, err := events.Decode(msg.Data)
		if err != nil {
			e.t.Fatal(err)
		}
		if event.JobID == job.ID {
			list = append(list, event)
		}
	}
	return list
}

// types names a job's events in order, without those that say how far it is.
func (e *env) types(job events.Job) string {
	e.t.Helper()
	var list []string
	for _, event := range e.history(job) {
		if event.Type != events.TypeQueued && event.Type != events.TypeProgress {
			list = append(list, string(event.Type))
		}
	}
	return strings.Join(list, " ")
}

func (e *env) expectHistory(job events.Job, want string) {
	e.t.Helper()
	if got := e.types(job); got != want {
		e.t.Errorf("the history is %q, want %q", got, want)
	}
}

// awaitOff waits until no message is on the queue.
func (e *env) awaitOff() {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "an empty queue", func() error {
		stream, err := e.js.Stream(e.ctx, bus.JobsStream)
		if err == nil && stream.CachedInfo().State.Msgs > 0 {
			err = fmt.Errorf("%d messages", stream.CachedInfo().State.Msgs)
		}
		return err
	})
}

// awaitEnd waits for the end of a run, and holds that register, history, ledger and tables agree about it. It returns
// the event that tells of the end.
func (e *env) awaitEnd(job events.Job, want events.State, rows int64) events.Event {
	e.t.Helper()
	end := e.await(job, events.Type(want))
	e.awaitOff()
	ends := 0
	for _, event := range e.history(job) {
		if event.Type.Terminal() && event.Run == job.Run {
			ends++
		}
	}
	if ends != 1 {
		e.t.Errorf("the run has ended %d times: %s", ends, e.types(job))
	}
	if r := e.register(job); r.State != bus.Done || r.Run != job.Run || r.Outcome != want {
		e.t.Errorf("the register says %+v", r)
	}
	ledger, err := e.db.Outcome(e.ctx, job.ID, job.Run)
	if err != nil || ledger == nil || ledger.State != want {
		e.t.Errorf("the ledger says %+v (%v)", ledger, err)
	}
	if want == events.StateSucceeded {
		e.expectDataset(job, rows)
	} else {
		e.expectNothing(job)
	}
	return end
}

// expectDataset holds that a job's file was loaded once and whole. See [numbered].
func (e *env) expectDataset(job events.Job, rows int64) {
	e.t.Helper()
	e.expectRows(job, rows)
	e.expectTables(1)
}

func (e *env) expectRows(job events.Job, rows int64) {
	e.t.Helper()
	var count, different int64
	err := e.sql.QueryRow(e.ctx, "SELECT count(*), count(DISTINCT n) FROM "+pgx.Identifier{"public", job.Spec.Table}.Sanitize()).
		Scan(&count, &different)
	if err != nil || count != rows || different != rows {
		e.t.Errorf("the table has %d rows, %d different ones, want %d (%v)", count, different, rows, err)
	}
}

// expectNothing holds that nothing in the database is of a job, but what the ledger says of it.
func (e *env) expectNothing(job events.Job) {
	e.t.Helper()
	e.expectTables(0)
	if n := e.batches(job); n != 0 {
		e.t.Errorf("the ledger has %d batches", n)
	}
}

// expectTables counts the tables of the job's schema. A test that loads several jobs counts by itself.
func (e *env) expectTables(want int) {
	e.t.Helper()
	rows, err := e.sql.Query(e.ctx, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		e.t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) != want {
		e.t.Errorf("there are tables %v, want %d (%v)", names, want, err)
	}
}

func (e *env) batches(job events.Job) (n int) {
	e.t.Helper()
	if err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM sluice.batches WHERE job_id = $1", job.ID).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

// awaitBatches waits until a part of the job's file is committed.
func (e *env) awaitBatches(job events.Job) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "a committed batch", func() error {
		if e.batches(job) == 0 {
			return errors.New("none yet")
		}
		return nil
	})
}

// lapse ends the lease of a message, as if no heartbeat had come, and names it by when it was delivered, from 1.
func (e *env) lapse(job events.Job, sequence uint64, delivery, consumed int) {
	e.t.Helper()
	subject := fmt.Sprintf("$JS.ACK.%s.%s.%d.%d.%d.%d.0", bus.JobsStream, job.Spec.Priority, delivery, sequence, consumed,
		time.Now().UnixNano())
	if err := e.bus.Conn.Publish(subject, []byte("-NAK")); err != nil {
		e.t.Fatal(err)
	}
}

// numbered is a CSV file with rows from 1 to n, and its two halves.
func numbered(n int) (head, tail string) {
	var b strings.Builder
	b.WriteString("n,text\n")
	for i := range n {
		b.WriteString(strconv.Itoa(i+1) + ",the text of a row\n")
	}
	all := b.String()
	half := strings.IndexByte(all[len(all)/2:], '\n') + len(all)/2 + 1
	return all[:half], all[half:]
}

// awaitStaging waits until a worker has begun to load.
func (e *env) awaitStaging() {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "a staging table", func() error {
		var n int
		err := e.sql.QueryRow(e.ctx, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'sluice_staging_%'").Scan(&n)
		if err == nil && n == 0 {
			err = errors.New("none yet")
		}
		return err
	})
}

// failure is why a job failed.
func failure(e events.Event) events.Failure {
	data, _ := e.Data.(events.Failed)
	return data.Failure
}

// retryingFailure is why an attempt failed, nil for a hand-over.
func retryingFailure(e events.Event) *events.Failure {
	data, _ := e.Data.(events.Retrying)
	return data.Failure
}

// awaitTerminal waits for the end of a run, whatever it is.
func (e *env) awaitTerminal(job events.Job) (end events.Event) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "the end of job "+job.ID, func() error {
		for _, event := range e.history(job) {
			if event.Type.Terminal() {
				end = event
				return nil
			}
		}
		return errors.New("it has not ended")
	})
	return end
}
