package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// RemoveAcknowledged removes messages that were acknowledged and are still there, and returns the ids of their jobs. A server that
// was killed between the two keeps such a message, gives it to nobody, and takes no next run of its job. It fails with
// [ErrUnavailable] when the queue does not answer.
func (q *Jobs) RemoveAcknowledged(ctx context.Context) (jobs []string, err error) {
	for _, p := range events.Priorities() {
		lane, err := q.Lane(ctx, p)
		if err != nil {
			return jobs, err
		}
		// What came up to there has been acknowledged: only whoever has recorded and reported the outcome does that.
		floor := lane.CachedInfo().AckFloor.Stream
		for {
			msg, err := askLeader(ctx, q.js.Conn(), JobsStream, lookup{From: 1, Next: events.JobSubject(p, "*")})
			if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && msg.Sequence > floor {
				break
			}
			if err != nil {
				return jobs, fmt.Errorf("looking for messages that were acknowledged: %w", unavailable(err))
			}
			if err := q.stream.DeleteMsg(ctx, msg.Sequence); err != nil { // as when another one has just done so
				return jobs, fmt.Errorf("removing a message that was acknowledged: %w", unavailable(err))
			}
			jobs = append(jobs, msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:])
		}
	}
	return jobs, nil
}
