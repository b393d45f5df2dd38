package access

import (
	"context"
	"time"

	"sluice/services/api/refusal"
)

// turnTime bounds how long one waits in line: no longer than a creation may take.
const turnTime = 8 * time.Second

// Line is where those stand who want a job on the queue with the same key. At this API one comes after the other.
type Line struct {
	Known string        // the last job that was created; whose turn it is has it
	turn  chan struct{} // holds one while it is somebody's turn
}

// Enter waits for one's turn, which [Line.Leave] ends.
func (l *Line) Enter(ctx context.Context) error {
	patience := time.NewTimer(turnTime)
	defer patience.Stop()
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return refusal.New(refusal.TooManyJobs, "too many jobs are being created with this key at the same time; try again later")
	}
}

// Leave ends one's turn.
func (l *Line) Leave() { <-l.turn }
