package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// Queued returns the message of a job that is on the queue under a priority, be it waiting or with a worker, or false if
// there is none. It fails as [events.DecodeJob] does for one that cannot be read, and with [ErrUnavailable] when the queue
// does not answer.
func (q *Jobs) Queued(ctx context.Context, p events.Priority, jobID string) (events.Job, bool, error) {
	subject := events.JobSubject(p, jobID)
	msg, err := askLeader(ctx, q.js.Conn(), JobsStream, lookup{Last: subject})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return events.Job{}, false, nil
	}
	if err != nil {
		return events.Job{}, false, fmt.Errorf("reading the job queued on %s: %w", subject, unavailable(err))
	}
	job, err := events.DecodeJob(msg.Data)
	if err != nil {
		return events.Job{}, false, fmt.Errorf("reading the job queued on %s: %w", subject, err)
	}
	return job, true, nil
}

// AllQueued returns the ids of all jobs that have a message on the queue, be it waiting or with a worker. It fails with
// [ErrUnavailable] when the queue does not answer.
func (q *Jobs) AllQueued(ctx context.Context) (map[string]bool, error) {
	info, err := q.stream.Info(ctx, jetstream.WithSubjectFilter(events.JobSubjects))
	if err != nil {
		return nil, fmt.Errorf("listing the queue: %w", unavailable(err))
	}
	ids := make(map[string]bool, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		ids[subject[strings.LastIndexByte(subject, '.')+1:]] = true
	}
	return ids, nil
}
