package access

import (
	"context"
	"testing"
)

// TestTurnsAreLeft holds that who goes away while others are served does not keep those behind.
func TestTurnsAreLeft(t *testing.T) {
	l := &Line{turn: make(chan struct{}, 1)}
	if err := l.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Enter(ctx); err == nil {
		t.Fatal("two have their turn")
	}
	l.Leave()
	if err := l.Enter(t.Context()); err != nil {
		t.Error(err)
	}
}
