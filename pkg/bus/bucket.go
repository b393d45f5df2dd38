package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is a bucket that reads a key's value from the leader of its stream: the client's own reading may be answered by a
// copy that is behind.
type bucket struct {
	jetstream.KeyValue
	conn *nats.Conn
}

// Get is as that of [jetstream.KeyValue].
func (b bucket) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if strings.ContainsAny(key, "*> ") { // other keys would match
		return nil, jetstream.ErrInvalidKey
	}
	name := b.Bucket()
	message, err := askLeader(ctx, b.conn, "KV_"+name, lookup{Last: "$KV." + name + "." + key})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, jetstream.ErrKeyNotFound
	}
	if err != nil {
		return nil, unavailable(err)
	}
	removed, err := message.removed()
	if err != nil {
		return nil, err
	}
	if removed {
		return nil, jetstream.ErrKeyNotFound
	}
	return entry{bucket: name, key: key, message: message}, nil
}

// removed reports whether the message marks the end of a key instead of holding its value.
func (m *found) removed() (bool, error) {
	if len(m.Header) == 0 {
		return false, nil
	}
	header, err := nats.DecodeHeadersMsg(m.Header)
	if err != nil {
		return false, fmt.Errorf("decoding the header of message %d: %w", m.Sequence, err)
	}
	return header.Get("KV-Operation") != "" || header.Get(jetstream.MarkerReasonHeader) != "", nil
}

// entry is the value of a key.
type entry struct {
	bucket, key string
	message     *found
}

func (e entry) Bucket() string                  { return e.bucket }
func (e entry) Key() string                     { return e.key }
func (e entry) Value() []byte                   { return e.message.Data }
func (e entry) Revision() uint64                { return e.message.Sequence }
func (e entry) Created() time.Time              { return e.message.Time }
func (e entry) Delta() uint64                   { return 0 }
func (e entry) Operation() jetstream.KeyValueOp { return jetstream.KeyValuePut }
