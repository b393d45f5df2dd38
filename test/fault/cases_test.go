package fault

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// ordeal is one way of breaking Sluice.
type ordeal struct {
	name string
	run  func(*testing.T, *rand.Rand)
}

// TestFaults runs all ordeals, again and again in the long version.
func TestFaults(t *testing.T) {
	seed := *firstSeed
	for begun, round := time.Now(), 0; round == 0 || *long && time.Since(begun) < *soakTime && !t.Failed(); round++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Logf("run it again with -fault.seed=%d", seed)
			for _, o := range alone {
				t.Run(o.name, func(t *testing.T) { o.run(t, randomFor(seed, o.name)) })
			}
			for _, o := range slices.Concat(together, more()) {
				t.Run(o.name, func(t *testing.T) {
					t.Parallel()
					o.run(t, randomFor(seed, o.name))
				})
			}
		})
		seed = rand.New(rand.NewPCG(seed, 0)).Uint64N(1 << 32)
	}
}

// randomFor gives an ordeal the same randomness whether others run or not.
func randomFor(seed uint64, name string) *rand.Rand {
	sum := fnv.New64()
	_, _ = sum.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(seed, sum.Sum64()))
}

// alone are the ordeals that measure time.
var alone = []ordeal{
	{"crowd", crowd},
}

// together are the others. The longest come first, so that none of them is waited for alone.
var together = []ordeal{
	{"killed", killed},
	{"outages", outages},
	{"full-queue", fullQueue},
	{"full-tables", fullTables},
	{"full-database", fullDatabase},
	{"frozen", frozen},
	{"cut-off", cutOff},
	{"moments", moments},
	{"rolling", rolling},
	{"crashes", crashes},
	{"crowded", crowded},
	{"locked", locked},
	{"same-table", sameTable},
	{"poisoned", poisoned},
	{"cancels", cancels},
	{"one-key", oneKey},
	{"replayed", replayed},
	{"links", links},
	{"holes", holes},
	{"resumed", resumed},
	{"appended", appended},
	{"retried", retried},
	{"forgotten", forgotten},
}

// more are those of the long version only.
func more() []ordeal {
	var list []ordeal
	if *long { // building takes longer than all the rest
		list = append(list, ordeal{"clocks", clocks})
	}
	return list
}

// sized chooses between the short and the long version.
func sized[T any](short, longer T) T {
	if *long {
		return longer
	}
	return short
}
