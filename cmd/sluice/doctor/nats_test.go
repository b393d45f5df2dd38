package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// TestKeysBucket holds that it notices a set-up from before there were keys.
func TestKeysBucket(t *testing.T) {
	n := testenv.StartNATS(t)
	b := n.Bus("setup")
	check := func() Check {
		checks := checkNATS(testenv.Context(t), Patient{NATSURL: n.URL()})
		i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "bucket keys" })
		if i < 0 {
			t.Fatalf("it looks at %v only", checks)
		}
		return checks[i]
	}
	if c := check(); c.State != OK || c.Detail != "keys: 0" {
		t.Errorf("of an empty bucket it says %v", c)
	}
	js, err := jetstream.New(b.Conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(testenv.Context(t), bus.KeysBucket); err != nil {
		t.Fatal(err)
	}
	if c := check(); c.State != Failed || !strings.Contains(c.Advice, "sluice setup") {
		t.Errorf("of a missing bucket it says %v", c)
	}
}
