package main

import (
	"slices"
	"testing"
	"time"
)

// TestEachWayComesFirst has three ways take each place once in three rounds.
func TestEachWayComesFirst(t *testing.T) {
	for round, want := range map[int][]int{-2: {1, 2, 0}, -1: {2, 0, 1}, 0: {0, 1, 2}, 1: {1, 2, 0}, 2: {2, 0, 1}, 3: {0, 1, 2}} {
		if order := turns(3, round); !slices.Equal(order, want) {
			t.Errorf("round %d is %v, want %v", round, order, want)
		}
	}
}

func TestPause(t *testing.T) {
	for waited, want := range map[time.Duration]time.Duration{
		0:                2 * time.Millisecond,
		time.Second:      20 * time.Millisecond,
		10 * time.Second: 50 * time.Millisecond,
	} {
		if got := pause(waited); got != want {
			t.Errorf("after %s it is %s, want %s", waited, got, want)
		}
	}
}
