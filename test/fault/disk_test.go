package fault

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// disk is a small one, which can be filled to its last byte.
type disk struct{ dir string }

// mountDisk makes a disk of so many bytes. Only root can; that is part of what the suite needs.
func mountDisk(t *testing.T, size int) *disk {
	t.Helper()
	dir := testenv.Dir(t)
	if err := mount(dir, size); err != nil {
		t.Fatalf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Errorf("unmounting the small disk: %v", err)
		}
	})
	return &disk{dir: dir}
}

// fill takes all the room that is left.
func (d *disk) fill(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("filling the disk: %v", err)
	}
	_ = f.Close()
}

// clear makes room again.
func (d *disk) clear(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		t.Fatal(err)
	}
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fullTables fills the disk that the tables are on while a job is loaded, and makes room again.
func fullTables(t *testing.T, random *rand.Rand) {
	small := mountDisk(t, 64<<20)
	s := startIn(t, random, 2, place{tables: small.dir})
	from := serve(t, makeFile(random, 6<<20), random.IntN(2) == 0)
	gate := from.addGate(random.IntN(len(from.content) / 2))
	a := s.submit(from, "full", nil)
	s.reach(gate)
	small.fill(t)
	gate.release()
	s.await(a.id, "says that the disk is full", func(j job) bool { return j.State == "retrying" && j.why() == "storage_full" })
	if *long {
		j := s.awaitEnd(a.id)
		if j.why() != "attempts_exhausted" {
			t.Errorf("the job failed with %+v", j.Error)
		}
		a.outcomes = []string{"failed"}
	}
	small.clear(t)
	s.loadMany(3)
	s.check()
}

// fullDatabase fills the disk of all of Postgres, its log included, which then ends. It is started again with more room.
func fullDatabase(t *testing.T, random *rand.Rand) {
	small := mountDisk(t, 200<<20)
	s := startIn(t, random, 2, place{database: small.dir})
	from := serve(t, makeFile(random, 12<<20), random.IntN(2) == 0)
	gate := from.addGate(random.IntN(len(from.content) / 2))
	s.submit(from, "full", nil)
	s.reach(gate)
	small.fill(t)
	gate.release()
	s.loadMany(3)
	s.after(3*time.Second, 8*time.Second)
	small.clear(t)
	select {
	case <-s.database.server.Done():
		s.restartDatabase()
	default:
	}
	s.check()
}
