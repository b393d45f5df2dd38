package fault

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// crashes does to Postgres what ends connections and servers, at random bytes of a file.
func crashes(t *testing.T, random *rand.Rand) {
	s := start(t, random, 2)
	faults := []func(*worker){
		func(*worker) { s.terminate() },
		func(*worker) { s.crash(syscall.SIGQUIT) },
		func(*worker) { s.crash(syscall.SIGKILL) },
		func(w *worker) { w.wire.CutAt(commit, true) },
		func(w *worker) { w.wire.CutAt(commit, false) },
		func(w *worker) { w.wire.Cut(); s.after(0, 2*time.Second); w.wire.Restore() },
	}
	random.Shuffle(len(faults), func(i, k int) { faults[i], faults[k] = faults[k], faults[i] })
	from := serve(t, makeFile(random, sized(8, 40)<<20), random.IntN(2) == 0)
	at := make([]int, len(faults))
	for n := range at {
		at[n] = random.IntN(len(from.content))
	}
	slices.Sort(at)
	gates := make([]*gate, len(at))
	for n := range at {
		gates[n] = from.addGate(at[n])
	}
	a := s.submit(from, "crashes", nil)
	for n, g := range gates {
		s.reach(g)
		s.after(0, time.Second)
		faults[n](s.workerOf(a))
		g.release()
		s.after(0, time.Second)
	}
	j := s.awaitEnd(a.id)
	if j.Attempt != 1 { // what happens to the database is not the job's fault
		t.Logf("there were %d attempts", j.Attempt)
	}
	s.loadMany(4)
	s.check()
}

// terminate ends all connections of the ingesters, as an administrator may.
func (s *system) terminate() {
	s.t.Helper()
	conn := s.database.connect(s.t)
	execute(s.t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sluice%'`)
}

// crash ends Postgres and starts it again.
func (s *system) crash(by syscall.Signal) {
	s.t.Helper()
	s.database.crash(s.t, by)
	s.after(0, 3*time.Second)
	s.restartDatabase()
}

// crowded leaves no connection for the ingesters for a while.
func crowded(t *testing.T, random *rand.Rand) {
	s := startIn(t, random, 2, place{settings: map[string]string{"max_connections": "20"}})
	from := serve(t, makeFile(random, 2<<20), true)
	gate := from.addGate(random.IntN(len(from.content)))
	s.submit(from, "crowded", nil)
	s.reach(gate)
	var crowd []*pgx.Conn
	s.terminate()
	for {
		conn, err := pgx.Connect(s.ctx, s.database.server.SocketURL(s.database.name))
		if err != nil {
			break
		}
		crowd = append(crowd, conn)
	}
	gate.release()
	s.loadMany(4)
	s.after(time.Second, 5*time.Second)
	for _, conn := range crowd {
		_ = conn.Close(s.ctx)
	}
	s.check()
}
