package e2e

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// startTime is how long sluice may take until it is ready. The promise is less; a busy machine is forgiven.
const startTime = 20 * time.Second

// freePorts are the flags that let instances run side by side.
func freePorts() []string {
	const free = "127.0.0.1:0"
	return []string{"--api-addr", free, "--nats-addr", free, "--nats-monitor-addr", free, "--files-addr", free}
}

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
	begun := time.Now()
	args := append([]string{"up", "--data-dir", dir}, freePorts()...)
	i := &instance{process: launch(t, env, append(args, flags...)...), dir: dir}
	ctx, cancel := context.WithTimeoutCause(testenv.Context(t), startTime, errors.New("it takes too long"))
	defer cancel()
	if err := i.stdout.Await(ctx, "Ctrl-C ends all of it", i.ended); err != nil {
		t.Fatalf("waiting for sluice up: %v", err)
	}
	t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
	i.api, i.files, i.nats = i.announced(t, "API"), i.announced(t, "Files"), i.announced(t, "NATS")
	i.monitor, i.postgres = i.announced(t, "monitoring"), i.announced(t, "Postgres")
	return i
}

// announced is the address that stands behind a word of the announcement.
func (i *instance) announced(t testing.TB, word string) string {
	t.Helper()
	found := regexp.MustCompile(`(?:^|\s)` + word + `\s+(\S+)`).FindStringSubmatch(i.stdout.String())
	if found == nil {
		t.Fatalf("%s is not announced", word)
	}
	return found[1]
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
