package status

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain makes the property tests repeatable: the same histories in each run, unless flags ask for others.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.nofailfile": "true", "rapid.checks": "300"} {
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
