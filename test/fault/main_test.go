// Package fault breaks Sluice in every way that its promises speak of, and holds that they are kept: the built programs
// run on a NATS server and a Postgres of their own, which are killed, frozen, filled and cut off in the middle of jobs.
//
// What is random comes from a seed, which is in the name of each test. With -fault.long all cases are run again and
// again with fresh seeds for as long as -fault.for says, and are larger.
package fault

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/testenv"
)

var (
	firstSeed = flag.Uint64("fault.seed", 0, "what the first round's randomness comes from; 0: one that is drawn")
	long      = flag.Bool("fault.long", false, "run larger cases, round by round")
	soakTime  = flag.Duration("fault.for", time.Hour, "with -fault.long: how long to begin new rounds")
	atOnce    = flag.String("fault.parallel", "5", "cases that run at the same time; they wait more than they work")
)

// programs is where the built ones are.
var programs string

// services are the packages of what runs all the time.
var services = []string{
	"./services/api/cmd/sluice-api", "./services/status/cmd/sluice-status", "./services/ingester/cmd/sluice-ingester",
}

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	flag.Parse()
	if err := flag.Set("test.parallel", *atOnce); err != nil {
		return 0, err
	}
	if *firstSeed == 0 {
		*firstSeed = rand.Uint64N(1 << 32)
	}
	root, err := testenv.Root()
	if err != nil {
		return 0, err
	}
	if programs, err = os.MkdirTemp("", "sluice-test-fault-"); err != nil {
		return 0, fmt.Errorf("making a place for the programs: %w", err)
	}
	defer func() { _ = os.RemoveAll(programs) }()
	if err := build(root, append([]string{"./cmd/sluice"}, services...)...); err != nil {
		return 0, err
	}
	// The server is not what is tested, and is to be as fast as it is.
	if err := build(filepath.Join(root, "test"), "-race=false", "github.com/nats-io/nats-server/v2"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func build(dir string, what ...string) error {
	command := exec.Command("go", append([]string{"build", "-o", programs + "/"}, what...)...)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", what, err, output)
	}
	return nil
}
