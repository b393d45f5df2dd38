// Package bus is where Sluice meets NATS: the connection, the streams and buckets, and the few ways to write to them.
//
// Streams, consumers and buckets are described in topology.go and nowhere else. [Setup] creates them; every other
// process only binds to them with [Bind].
package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors on which callers decide.
var (
	// ErrConflict says that someone else wrote first; read again.
	ErrConflict = errors.New("written by someone else meanwhile")
	// ErrNotSetUp says that a stream, consumer or bucket is missing; run the set-up step.
	ErrNotSetUp = errors.New("not set up")
	// ErrOtherRun says that a message of another run of the job is still queued; try later.
	ErrOtherRun = errors.New("another run of the job is still queued")
	// ErrUnavailable says that NATS or a service behind it does not answer; try later.
	ErrUnavailable = errors.New("not available")
)

// Bus is a process's handle on everything in topology.go.
type Bus struct {
	Conn      *nats.Conn
	Jobs      *Jobs
	Events    *Events
	Registers *Registers
	Documents jetstream.KeyValue // the bucket of status documents; only status writes it
	Uploads   *Uploads
	Keys      *Keys // not bound: only the API and the command may read the bucket
}

// Connect opens a connection that outlives outages of the server: it reconnects for ever, and meanwhile refuses to
// buffer what is published, so that no stale acknowledgement or heartbeat is sent late. The first connection must
// succeed.
func Connect(url, name string, opts ...nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second), // a link on which nothing arrives is given up after three of these
		nats.CustomInboxPrefix("_INBOX_" + name),
	}, opts...)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS at %s: %w", redact(url), withoutURL(err))
	}
	return nc, nil
}

// Bind finds what [Setup] has created. It fails with [ErrNotSetUp], naming what is missing, and with [ErrUnavailable]
// when the server does not answer.
func Bind(ctx context.Context, nc *nats.Conn) (*Bus, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	jobs, err := js.Stream(ctx, JobsStream)
	if err != nil {
		return nil, bindError("stream "+JobsStream, err)
	}
	events, err := js.Stream(ctx, EventsStream)
	if err != nil {
		return nil, bindError("stream "+EventsStream, err)
	}
	control, err := js.KeyValue(ctx, ControlBucket)
	if err != nil {
		return nil, bindError("bucket "+ControlBucket, err)
	}
	documents, err := js.KeyValue(ctx, DocumentsBucket)
	if err != nil {
		return nil, bindError("bucket "+DocumentsBucket, err)
	}
	uploads, err := bindUploads(ctx, nc)
	if err != nil {
		return nil, err
	}
	return &Bus{
		Conn:      nc,
		Jobs:      &Jobs{js: js, stream: jobs},
		Events:    &Events{js: js, stream: events},
		Registers: &Registers{conn: nc, kv: bucket{control, nc}},
		Documents: bucket{documents, nc},
		Uploads:   uploads,
		Keys:      NewKeys(nc),
	}, nil
}

func bindError(asset string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("binding %s: %w: %w", asset, ErrNotSetUp, err)
	}
	return fmt.Errorf("binding %s: %w", asset, unavailable(err))
}

// Conflict reports whether a write lost against another one. Replicated streams answer with a code of their own.
func Conflict(err error) bool {
	return errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) ||
		hasCode(err, jetstream.JSErrCodeStreamWrongLastSequence) ||
		hasCode(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}

// How the server classifies what it cannot do for now.
const (
	codeOutOfService = 503 // no room, no leader, no JetStream
	codeTooMuch      = 429 // more waits to be stored than it has memory for
)

// unavailable marks err as [ErrUnavailable] where it means that nobody answered, or that the server cannot for now.
func unavailable(err error) error {
	for _, kind := range []error{
		nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, nats.ErrDisconnected, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout,
		context.DeadlineExceeded,
	} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) && (api.Code == codeOutOfService || api.Code == codeTooMuch) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
