package e2e

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// startTime is how long a program may take that only says something and ends. The promise is less; a busy machine is forgiven.
const startTime = 20 * time.Second

// instance is a sluice up that is ready.
type instance struct {
	*process
	dir                                 string
	api, files, nats, monitor, postgres string // where they are announced to be
	key                                 string // that the API is called with, if any
}

// up starts sluice up on a data directory and returns when it is ready.
func up(t testing.TB, dir string, flags ...string) *instance {
	t.Helper()
	return upWith(t, nil, dir, flags...)
}

func upWith(t testing.TB, env []string, dir string, flags ...string) *instance {
	t.Helper()
	u := testenv.StartUp(t, command, dir, env, flags...)
	return &instance{
		process: &process{u.Process}, dir: dir, api: u.API, files: u.Files, nats: u.NATS, monitor: u.Monitor, postgres: u.Postgres,
	}
}

// connect returns a connection to the Postgres that is announced.
func (i *instance) connect(t testing.TB) *pgx.Conn { return connect(t, i.postgres) }

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(testenv.Context(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// descendants are the processes that a process has started, and those have.
func descendants(t testing.TB, pid int) []int {
	t.Helper()
	output, err := exec.Command("ps", "-eo", "pid=,ppid=").Output()
	if err != nil {
		t.Fatalf("listing processes: %v", err)
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		child, _ := strconv.Atoi(fields[0])
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	all := children[pid]
	for n := 0; n < len(all); n++ {
		all = append(all, children[all[n]]...)
	}
	return all
}
