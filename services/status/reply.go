package status

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/events"
)

// answer decodes a request, asks and sends the reply. Each request has a goroutine: one may have to wait for the fold. The
// reply is published here since a micro request is only for the goroutine that it was handed to.
func answer[Q, A any](ctx context.Context, q *queries, ask func(context.Context, Q) (A, error)) micro.HandlerFunc {
	return func(r micro.Request) {
		reply, request, subject := nats.NewMsg(r.Reply()), r.Data(), r.Subject()
		go func() { q.send(replyTo(ctx, q, reply, request, ask), subject) }()
	}
}

// replyTo fills in the reply to a request.
func replyTo[Q, A any](
	ctx context.Context, q *queries, reply *nats.Msg, request []byte, ask func(context.Context, Q) (A, error),
) *nats.Msg {
	var question Q
	if err := json.Unmarshal(request, &question); err != nil {
		return refusal(reply, events.QueryInvalid, "the request is not valid JSON")
	}
	found, err := ask(ctx, question)
	switch {
	case errors.Is(err, errNotFound):
		return refusal(reply, events.QueryNotFound, err.Error())
	case errors.Is(err, errFinished):
		return refusal(reply, events.QueryFinished, err.Error())
	case errors.Is(err, errSucceeded):
		return refusal(reply, events.QuerySucceeded, err.Error())
	case errors.Is(err, errUnfinished):
		return refusal(reply, events.QueryUnfinished, err.Error())
	case errors.Is(err, errOutdated):
		return refusal(reply, events.QueryFailed, err.Error())
	case err == nil:
		reply.Data, err = json.Marshal(found)
	}
	if err != nil {
		q.log.Error("question not answered", "err", err)
		return refusal(reply, events.QueryFailed, "status cannot read its store: its log says why, and `sluice setup` makes what is missing")
	}
	return reply
}

// refusal makes the reply an error in the way of the micro protocol (NATS ADR-32).
func refusal(reply *nats.Msg, code, text string) *nats.Msg {
	reply.Header.Set(micro.ErrorCodeHeader, code)
	reply.Header.Set(micro.ErrorHeader, text)
	return reply
}

func (q *queries) send(reply *nats.Msg, subject string) {
	if err := q.bus.Conn.PublishMsg(reply); err != nil {
		q.log.Warn("answer not sent", "subject", subject, "err", err)
	}
}
