package main

import (
	"slices"
	"testing"
)

// TestEachWayComesFirst has three ways take each place once in three rounds.
func TestEachWayComesFirst(t *testing.T) {
	for round, want := range map[int][]int{-2: {1, 2, 0}, -1: {2, 0, 1}, 0: {0, 1, 2}, 1: {1, 2, 0}, 2: {2, 0, 1}, 3: {0, 1, 2}} {
		if order := turns(3, round); !slices.Equal(order, want) {
			t.Errorf("round %d is %v, want %v", round, order, want)
		}
	}
}
