package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// leaderPatience bounds how long the leader of a stream may take to answer.
	leaderPatience = 5 * time.Second
	// leaderAgainAfter is after how long it is asked again: a server that just ceased to be the leader says nothing.
	leaderAgainAfter = time.Second
)

// codeNotFound is the server's error code for a message that is not there (JSNoMessageFoundErr).
const codeNotFound jetstream.ErrorCode = 10037

// lookup says which message is meant: the last one under a subject, or the next one from a sequence on.
type lookup struct {
	Last string `json:"last_by_subj,omitempty"`
	From uint64 `json:"seq,omitempty"`
	Next string `json:"next_by_subj,omitempty"` // may have wildcards
}

// found is a message as it lies in a stream.
type found struct {
	Subject  string    `json:"subject"`
	Sequence uint64    `json:"seq"`
	Header   []byte    `json:"hdrs"`
	Data     []byte    `json:"data"`
	Time     time.Time `json:"time"`
}

// askLeader reads a message from the leader of a stream, and fails with [jetstream.ErrMsgNotFound] if there is none.
//
// A direct get, which the client prefers, is answered by any copy of a replicated stream: by one, too, that has not heard
// yet of what was just acknowledged. Whoever decides on what is read, or reads what it has written, asks the leader.
func askLeader(ctx context.Context, nc *nats.Conn, stream string, what lookup) (*found, error) {
	ctx, cancel := context.WithTimeout(ctx, leaderPatience)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, fmt.Errorf("encoding a lookup: %w", err)
	}
	for {
		answer, err := askOnce(ctx, nc, "$JS.API.STREAM.MSG.GET."+stream, request)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		return decodeFound(answer.Data)
	}
}

func askOnce(ctx context.Context, nc *nats.Conn, subject string, request []byte) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, leaderAgainAfter)
	defer cancel()
	return nc.RequestWithContext(ctx, subject, request)
}

func decodeFound(data []byte) (*found, error) {
	var answer struct {
		Message *found              `json:"message"`
		Error   *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("decoding what the leader answers: %w", err)
	}
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == codeNotFound:
		return nil, jetstream.ErrMsgNotFound
	case answer.Error != nil:
		return nil, answer.Error
	case answer.Message == nil:
		return nil, jetstream.ErrInvalidJetStreamResponse
	}
	return answer.Message, nil
}
