package fault

import (
	"math/rand/v2"
	"testing"
	"time"
)

// locked has somebody else hold the name that a job wants, and let go of it later.
func locked(t *testing.T, random *rand.Rand) {
	s := start(t, random, 1)
	conn := s.database.connect(t)
	execute(t, conn, `BEGIN`)
	execute(t, conn, `CREATE TABLE public.locked (a int)`)
	execute(t, conn, `LOCK TABLE public.locked IN ACCESS EXCLUSIVE MODE`)
	s.submit(serve(t, makeFile(random, 1<<20), true), "locked", nil)
	s.loadMany(3) // others need not wait for it
	for _, a := range s.jobs[1:] {
		s.awaitState(a.id, "succeeded")
	}
	s.after(2*time.Second, 6*time.Second)
	execute(t, conn, `ROLLBACK`)
	s.check()
}

// sameTable has many jobs want one table: one of them gets it.
func sameTable(t *testing.T, random *rand.Rand) {
	s := start(t, random, 3)
	jobs := sized(6, 30)
	won := 0
	for range jobs {
		a := s.submit(serve(t, makeFile(random, 200<<10+random.IntN(1<<20)), true), "wanted", nil)
		a.outcomes = []string{"succeeded", "failed"}
	}
	for _, a := range s.jobs {
		switch j := s.awaitEnd(a.id); {
		case j.State == "succeeded":
			won++
		case j.why() != "table_exists":
			t.Errorf("job %s failed with %+v", j.ID, j.Error)
		}
	}
	if won != 1 {
		t.Errorf("%d jobs made the table", won)
	}
	s.check()
}

// appended has many jobs add to one table at once.
func appended(t *testing.T, random *rand.Rand) {
	s := start(t, random, 3)
	rows := int64(0)
	for range sized(6, 30) {
		f := makeFile(random, 200<<10+random.IntN(1<<20))
		rows += f.rows
		s.submit(serve(t, f, true), "appended", map[string]any{"mode": "append"}).shared = true
	}
	for _, a := range s.jobs {
		s.awaitState(a.id, "succeeded")
	}
	conn := s.database.connect(t)
	if found := column[int64](t, conn, `SELECT count(*) FROM public.appended`); found[0] != rows {
		t.Errorf("the table has %d rows, want %d", found[0], rows)
	}
	for _, held := range []string{"ROLLBACK", "COMMIT"} {
		execute(t, conn, `BEGIN`)
		execute(t, conn, `LOCK TABLE public.appended IN ACCESS EXCLUSIVE MODE`)
		f := makeFile(random, 100<<10)
		a := s.submit(serve(t, f, true), "appended", map[string]any{"mode": "append"})
		a.shared = true
		s.await(a.id, "waits for the table", func(j job) bool { return j.why() == "table_busy" })
		execute(t, conn, held)
		s.awaitState(a.id, "succeeded")
	}
	s.check()
}
