package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// Refusal is the answer of a service that does not do what it was asked for (NATS ADR-32). It implements error.
type Refusal struct {
	Code string
	Text string
}

// Error returns the code and the text.
func (r *Refusal) Error() string { return r.Code + " " + r.Text }

// Ask puts a question to the service behind a subject and decodes its answer. It fails with [ErrUnavailable] when nobody
// answers before ctx ends, and with a [*Refusal].
func Ask(ctx context.Context, nc *nats.Conn, subject string, question, answer any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("encoding a question for %s: %w", subject, err)
	}
	reply, err := nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return fmt.Errorf("asking %s: %w", subject, unavailable(err))
	}
	if code := reply.Header.Get(micro.ErrorCodeHeader); code != "" {
		return fmt.Errorf("asking %s: %w", subject, &Refusal{Code: code, Text: reply.Header.Get(micro.ErrorHeader)})
	}
	if err := json.Unmarshal(reply.Data, answer); err != nil {
		return fmt.Errorf("decoding the answer of %s: %w", subject, err)
	}
	return nil
}
