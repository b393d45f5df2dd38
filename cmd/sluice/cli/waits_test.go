package cli

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/pkg/client"
)

func TestWaits(t *testing.T) {
	var said []string
	now := time.Unix(0, 0)
	w := waits{say: func(text string) { said = append(said, text) }, now: func() time.Time { return now }}
	busy := &client.Problem{Title: "Too many jobs", Code: "too_many_jobs"}
	away := &client.Unreachable{URL: "http://x", Err: errors.New("refused")}
	w.told(busy, 10*time.Second)
	w.told(busy, 9*time.Second)
	w.told(away, time.Minute)
	now = now.Add(time.Minute)
	w.told(away, time.Minute)
	now = now.Add(quietTime)
	w.told(away, time.Minute)
	const awayText = "sluice: waiting up to 1m0s: the API at http://x cannot be reached: refused"
	if want := []string{"sluice: waiting up to 10s: Too many jobs [too_many_jobs]", awayText, awayText}; !slices.Equal(said, want) {
		t.Errorf("it says %q, want %q", said, want)
	}
}
