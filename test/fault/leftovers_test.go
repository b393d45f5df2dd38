package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/status"
)

// checkNothingElse holds that there are these tables, and that nothing is left of the work on them.
func (s *system) checkNothingElse(conn *pgx.Conn, tables []string) {
	s.t.Helper()
	slices.Sort(tables)
	tables = slices.Compact(tables)
	if found := column[string](s.t, conn, `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'other%'
		ORDER BY tablename COLLATE "C"`); !slices.Equal(found, tables) {
		s.t.Errorf("the tables are %v, want %v", found, tables)
	}
	if left := column[string](s.t, conn, `SELECT relname::text FROM pg_class WHERE relname LIKE 'sluice\_staging\_%'`); len(left) > 0 {
		s.t.Errorf("left are %v", left)
	}
	if loading := column[string](s.t, conn, `SELECT job_id::text FROM sluice.loads WHERE state = 'loading'`); len(loading) > 0 {
		s.t.Errorf("the ledger still has %v as loading", loading)
	}
	if strange := column[string](s.t, conn, `SELECT job_id::text FROM sluice.loads WHERE job_id::text <> ALL ($1)`, s.ids()); len(strange) > 0 {
		s.t.Errorf("the ledger has %v, of which nobody knows", strange)
	}
}

func (s *system) ids() []string { return slices.Collect(maps.Keys(s.byID)) }

// checkQueue holds that no message is left but what a server that was killed has kept of acknowledged ones.
func (s *system) checkQueue() {
	s.t.Helper()
	testenv.Eventually(s.ctx, s.t, "an empty queue", func() error {
		js, err := jetstream.New(s.bus.Conn)
		if err != nil {
			return err
		}
		queue, err := js.Stream(s.ctx, bus.JobsStream)
		if err != nil || queue.CachedInfo().State.Msgs == 0 {
			return err
		}
		return s.checkAcknowledged(queue)
	})
}

// checkAcknowledged fails unless all messages are of jobs that have ended, and will be given to nobody: a server that is killed
// between keeping an acknowledgement and removing its message does neither any more.
func (s *system) checkAcknowledged(queue jetstream.Stream) error {
	for _, lane := range events.Priorities() {
		consumer, err := queue.Consumer(s.ctx, string(lane))
		if err != nil {
			return err
		}
		if state := consumer.CachedInfo(); state.NumPending > 0 || state.NumAckPending > 0 {
			return fmt.Errorf("%d jobs wait on it and %d are under way", state.NumPending, state.NumAckPending)
		}
	}
	state := queue.CachedInfo().State
	for sequence := state.FirstSeq; sequence <= state.LastSeq; sequence++ {
		msg, err := queue.GetMsg(s.ctx, sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		job, err := events.DecodeJob(msg.Data)
		if err != nil {
			return err
		}
		r, err := s.bus.Registers.Get(s.ctx, job.ID)
		if err != nil {
			return err
		}
		if r.State != bus.Done || r.Run < job.Run {
			return fmt.Errorf("job %s is on it, and its register says %+v", job.ID, r)
		}
		s.t.Logf("the server has kept the message of job %s, which was acknowledged", job.ID)
	}
	return nil
}

// checkStatus holds that the documents are what the events add up to, and that the events of a run tell of one end.
func (s *system) checkStatus() {
	s.t.Helper()
	testenv.Eventually(s.ctx, s.t, "documents that are what the events add up to", func() error {
		if err := s.isFolded(); err != nil {
			return err
		}
		documents, err := status.Refold(s.ctx, s.bus)
		if err != nil {
			return err
		}
		divergent, err := status.Divergent(s.ctx, s.bus, documents)
		if err == nil && len(divergent) > 0 {
			err = fmt.Errorf("those of %v are not", divergent)
		}
		return err
	})
	ends := make(map[string]string)
	for stored, err := range s.bus.Events.History(s.ctx, "events.*.*", 1) {
		if err != nil {
			s.t.Fatal(err)
		}
		e, err := stored.Event()
		if err != nil {
			s.t.Error(err)
			continue
		}
		run := fmt.Sprintf("run %d of job %s", e.Run, e.JobID)
		switch earlier := ends[run]; {
		case !e.Type.Terminal():
		case earlier != "" && earlier != string(e.Type):
			s.t.Errorf("%s has both %s and %s", run, earlier, e.Type)
		default:
			ends[run] = string(e.Type)
		}
	}
}

// isFolded fails while status has not folded all events: what it could not write in an outage comes again after some seconds.
func (s *system) isFolded() error {
	fold, err := s.bus.Events.FoldConsumer(s.ctx)
	if err != nil {
		return err
	}
	if info := fold.CachedInfo(); info.NumPending > 0 || info.NumAckPending > 0 {
		return fmt.Errorf("%d events are to be delivered and %d to be acknowledged", info.NumPending, info.NumAckPending)
	}
	return nil
}

// mostMemory is what an ingester may have taken at its height, under the race detector, too, which makes 25 MiB 65.
const mostMemory = 256 << 20

// checkMemory holds that what the ingesters keep in memory has its bounds.
func (s *system) checkMemory() {
	s.t.Helper()
	most := int64(0)
	for _, w := range s.workers {
		peak, err := peakMemory(w.cmd.Process.Pid)
		if err != nil {
			s.t.Errorf("worker %s: %v", w.name, err)
		}
		most = max(most, peak)
	}
	s.t.Logf("the ingesters had %d MiB in memory at the most", most>>20)
	if most > mostMemory {
		s.t.Errorf("that is more than %d MiB", mostMemory>>20)
	}
}
