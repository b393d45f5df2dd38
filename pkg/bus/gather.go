package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Gathering says how long answers are waited for, when nobody knows how many there will be.
type Gathering struct {
	Time    time.Duration // at most, from the question on
	Silence time.Duration // after an answer, behind which none is expected any more
	Most    int           // answers
}

// Gather puts a question to all who answer it, and returns their answers in the order in which they came; none if nobody is
// there. What cannot be decoded is passed over. It fails with [ErrUnavailable] when NATS cannot be asked, and with ctx's error
// when that ends.
func Gather[A any](ctx context.Context, nc *nats.Conn, subject string, question any, g Gathering) ([]A, error) {
	data, err := json.Marshal(question)
	if err != nil {
		return nil, fmt.Errorf("encoding a question for %s: %w", subject, err)
	}
	inbox := nc.NewInbox()
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("asking all of %s: %w", subject, unavailable(err))
	}
	defer func() { _ = answers.Unsubscribe() }() // it fails only with the connection
	if err := nc.PublishRequest(subject, inbox, data); err != nil {
		return nil, fmt.Errorf("asking all of %s: %w", subject, unavailable(err))
	}
	list := []A{}
	end := time.Now().Add(g.Time)
	for until := end; len(list) < g.Most; {
		msg, err := nextBefore(ctx, answers, until)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded) && (len(list) > 0 || nc.IsConnected()), errors.Is(err, nats.ErrNoResponders):
			return list, nil
		default:
			return nil, fmt.Errorf("asking all of %s: %w", subject, unavailable(err))
		}
		var answer A
		if json.Unmarshal(msg.Data, &answer) != nil {
			continue
		}
		list = append(list, answer)
		if until = time.Now().Add(g.Silence); until.After(end) {
			until = end
		}
	}
	return list, nil
}

func nextBefore(ctx context.Context, answers *nats.Subscription, until time.Time) (*nats.Msg, error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return answers.NextMsgWithContext(ctx)
}
