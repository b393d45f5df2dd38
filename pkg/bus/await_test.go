package bus_test

import (
	"context"
	"errors"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestAwaitWaitsForServerAndSetUp(t *testing.T) {
	ctx := testenv.Context(t)
	n := testenv.StartNATS(t)
	url := n.URL()
	n.Stop()

	type opened struct {
		bus *bus.Bus
		err error
	}
	result, waits := make(chan opened, 1), make(chan error, 10)
	go func() {
		b, err := bus.Await(ctx, url, "late", func(err error) { waits <- err })
		result <- opened{b, err}
	}()
	if err := <-waits; errors.Is(err, bus.ErrNotSetUp) {
		t.Fatalf("without a server it waits for %v", err)
	}
	n.Start()
	if err := <-waits; !errors.Is(err, bus.ErrNotSetUp) {
		t.Fatalf("before the set-up it waits for %v", err)
	}
	if err := bus.Setup(ctx, n.Connect("setup"), 1); err != nil {
		t.Fatal(err)
	}
	got := <-result
	if got.err != nil {
		t.Fatal(got.err)
	}
	got.bus.Conn.Close()
	if len(waits) != 0 {
		t.Errorf("it says more than once what it waits for: %v", <-waits)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(testenv.Context(t))
	n := testenv.StartNATS(t)
	if _, err := bus.Await(ctx, n.URL(), "impatient", func(error) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}
