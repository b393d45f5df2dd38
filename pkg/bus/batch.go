package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What the server says in a header when it has no message to send.
const (
	statusHeader      = "Status"
	statusEnd         = "204" // of a batch
	statusNotFound    = "404"
	pendingHeader     = "Nats-Num-Pending"
	lastInBatchHeader = "Nats-Last-Sequence"
)

// errIncomplete says that messages of a batch were lost on the way.
var errIncomplete = errors.New("a part of a batch is missing")

// batchRequest asks for the next messages under a subject, from a sequence on.
type batchRequest struct {
	From     uint64 `json:"seq"`
	Subject  string `json:"next_by_subj"` // may have wildcards
	Messages int    `json:"batch"`
	Bytes    int    `json:"max_bytes,omitempty"` // the message that reaches it is the last one; 0: as many as the server lets pend
}

// readBatch reads some messages by a direct get (ADR-31), and reports whether there are more. It speaks the protocol itself:
// jetstreamext.GetBatch ends a batch that breaks off as if it were complete.
func readBatch(ctx context.Context, nc *nats.Conn, stream string, what batchRequest) (batch []Stored, more bool, err error) {
	request, err := json.Marshal(what)
	if err != nil {
		return nil, false, err
	}
	inbox := nc.NewInbox()
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only with the connection
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
		return nil, false, err
	}
	last := uint64(0)
	for {
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		switch status := msg.Header.Get(statusHeader); status {
		case "":
			if last, err = strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64); err != nil {
				return nil, false, fmt.Errorf("reading a sequence: %w", err)
			}
			batch = append(batch, Stored{Sequence: last, subject: msg.Header.Get(jetstream.SubjectHeader), data: msg.Data})
		case statusNotFound:
			return nil, false, nil
		case statusEnd:
			if msg.Header.Get(lastInBatchHeader) != strconv.FormatUint(last, 10) {
				return nil, false, errIncomplete
			}
			return batch, msg.Header.Get(pendingHeader) != "0", nil
		default:
			return nil, false, statusError(status, msg)
		}
	}
}

func statusError(status string, msg *nats.Msg) error {
	if status == "503" {
		return nats.ErrNoResponders
	}
	return fmt.Errorf("the server answers %s %s", status, msg.Header.Get("Description"))
}
