package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// codeStoreFailed is the server's error code for a message that it could not store (JSStreamStoreFailedF): its subject
// is full, or the stream or the disk is.
const codeStoreFailed jetstream.ErrorCode = 10077

// Jobs is the work queue.
type Jobs struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// Publish puts a run of a job on the queue and returns its sequence there. Publishing the same run again is safe: it
// returns the sequence of the copy that is queued. It fails with [ErrOtherRun] while another run is queued, and with
// [ErrUnavailable] when the queue does not answer.
func (q *Jobs) Publish(ctx context.Context, job events.Job) (uint64, error) {
	return q.publish(ctx, job, jetstream.WithMsgID(job.MessageID()))
}

// Restore puts a run of a job back on the queue whose message is not there any more, as Publish does. But that would take
// it for a copy of the lost one for 24 hours, and store nothing.
func (q *Jobs) Restore(ctx context.Context, job events.Job) (uint64, error) {
	return q.publish(ctx, job)
}

func (q *Jobs) publish(ctx context.Context, job events.Job, opts ...jetstream.PublishOpt) (uint64, error) {
	data, err := json.Marshal(job)
	if err != nil {
		return 0, fmt.Errorf("encoding job %s: %w", job.ID, err)
	}
	subject := events.JobSubject(job.Spec.Priority, job.ID)
	msg := &nats.Msg{Subject: subject, Data: data, Header: traceHeader(ctx)}
	sequence, err := publish(ctx, q.js, msg, opts...)
	if hasCode(err, codeStoreFailed) {
		return q.queuedCopy(ctx, subject, job.Run, err)
	}
	if err != nil {
		return 0, fmt.Errorf("queueing job %s: %w", job.ID, unavailable(err))
	}
	return sequence, nil
}

// queuedCopy settles a refusal: it is a success only if what is queued is the same run. Without anything queued there
// is no room, or the copy was taken off meanwhile; either way it is worth another try.
func (q *Jobs) queuedCopy(ctx context.Context, subject string, run int, refusal error) (uint64, error) {
	msg, err := askLeader(ctx, q.js.Conn(), JobsStream, lookup{Last: subject})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, fmt.Errorf("queueing on %s: %w", subject, unavailable(refusal))
	}
	if err != nil {
		return 0, fmt.Errorf("reading the job queued on %s: %w", subject, unavailable(err))
	}
	queued, err := events.DecodeJob(msg.Data)
	if err != nil {
		return 0, fmt.Errorf("reading the job queued on %s: %w", subject, err)
	}
	if queued.Run != run {
		return 0, fmt.Errorf("queueing on %s: %w", subject, ErrOtherRun)
	}
	return msg.Sequence, nil
}

// Lane returns the consumer that hands out jobs of one priority.
func (q *Jobs) Lane(ctx context.Context, p events.Priority) (jetstream.Consumer, error) {
	c, err := q.stream.Consumer(ctx, string(p))
	if err != nil {
		return nil, bindError("consumer "+string(p), err)
	}
	return c, nil
}
