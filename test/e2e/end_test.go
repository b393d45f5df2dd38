package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// TestNothingIsLeft holds that what ran has ended and that what lies outside the data directory is gone.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	temporary := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temporary, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(temporary, 0o777); err != nil {
		t.Fatal(err)
	}
	i := upWith(t, []string{"TMPDIR=" + temporary}, filepath.Join(dir, "data"))
	i.load(t, i.files+"/tripsdata.csv", "trips")
	servers := descendants(t, i.pid())
	if len(servers) == 0 {
		t.Fatal("there is no Postgres")
	}
	i.stop(t)
	for _, pid := range servers {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left among the temporary files is %v (%v)", left, err)
	}
	err := filepath.WalkDir(i.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type()&os.ModeSocket != 0 || entry.Name() == "postmaster.pid" {
			t.Errorf("%s is left", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if i.Stderr.String() != "" {
		t.Errorf("it had to say %s", i.Stderr.String())
	}
}

// TestSecondInterruptEndsAtOnce holds up the first one by a request that does not end.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	servers := descendants(t, i.pid())
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.api, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // told to go on: the request is under way
		t.Fatal(err)
	}
	ctx := testenv.Context(t)
	i.interrupt()
	testenv.Eventually(ctx, t, "no more requests are taken", func() error {
		if i.reachable(t) == nil {
			return errors.New("they are")
		}
		return nil
	})
	i.Signal(syscall.SIGINT)
	if code := i.wait(t, time.Second); code != 130 {
		t.Errorf("sluice ended with %d, want 130", code)
	}
	testenv.Eventually(ctx, t, "Postgres ends by itself", func() error {
		for _, pid := range servers {
			if alive(pid) {
				return fmt.Errorf("process %d lives", pid)
			}
		}
		return nil
	})
}

// TestInterruptedStart holds that a start can be called off at any moment, and leaves what the next one can go on with.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	for _, reached := range []string{"sluice.lock", "nats", "postgres/pgdata", "postgres/postgres.log"} {
		t.Run(reached, func(t *testing.T) {
			t.Parallel()
			dir := testenv.Dir(t)
			p := launch(t, nil, append([]string{"up", "--data-dir", dir}, testenv.FreePorts()...)...)
			testenv.Eventually(testenv.Context(t), t, reached+" is there", func() error {
				_, err := os.Stat(filepath.Join(dir, reached))
				return err
			})
			p.interrupt()
			if code := p.wait(t, endTime); code != 0 || p.Stderr.String() != "" {
				t.Errorf("sluice ended with %d and %s", code, p.Stderr.String())
			}
			i := up(t, dir)
			i.load(t, i.files+"/tripsdata.csv", "trips")
			i.stop(t)
		})
	}
}
