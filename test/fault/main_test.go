// Package fault breaks Sluice in every way that its promises speak of, and holds that they are kept: the built programs
// run on a NATS server and a Postgres of their own, which are killed, frozen, filled and cut off in the middle of jobs.
//
// What is random comes from a seed, which is in the name of each test. With -fault.long all cases are run again and
// again with fresh seeds for as long as -fault.for says, and are larger.
package fault

import (
	"flag"
	"math/rand/v2"
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
	flag.Parse()
	testenv.MainIn(m, func(dir string) error {
		programs = dir
		if err := flag.Set("test.parallel", *atOnce); err != nil {
			return err
		}
		if *firstSeed == 0 {
			*firstSeed = rand.Uint64N(1 << 32)
		}
		if err := testenv.Build(dir, append([]string{"./cmd/sluice"}, services...)...); err != nil {
			return err
		}
		// The server is not what is tested, and is to be as fast as it is.
		return testenv.Build(dir, "-race=false", "github.com/nats-io/nats-server/v2")
	})
}
