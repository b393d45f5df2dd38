package bus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/apikey"
)

// Errors of keys on which callers decide.
var (
	// ErrKeyNotFound says that there is no such key, or none any more.
	ErrKeyNotFound = errors.New("no such key")
	// ErrKeyExists says that the id of a new key is taken.
	ErrKeyExists = errors.New("there is a key with this id")
)

// keyMarkerTime is how long the mark of a removed key is kept.
const keyMarkerTime = time.Hour

// Keys is the bucket of API keys. It is found when it is used.
type Keys struct{ conn *nats.Conn }

// NewKeys returns the bucket of keys that lies behind a connection.
func NewKeys(nc *nats.Conn) *Keys { return &Keys{conn: nc} }

// Put stores a new key. It fails with [ErrKeyExists] if its id is taken.
func (s *Keys) Put(ctx context.Context, k apikey.Key) error {
	kv, err := s.open(ctx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encoding key %s: %w", k.ID, err)
	}
	_, err = kv.Create(ctx, k.ID, data)
	if Conflict(err) {
		return fmt.Errorf("storing key %s: %w", k.ID, ErrKeyExists)
	}
	if err != nil {
		return fmt.Errorf("storing key %s: %w", k.ID, unavailable(err))
	}
	return nil
}

// Delete removes a key. It fails with [ErrKeyNotFound] if there is none.
func (s *Keys) Delete(ctx context.Context, id string) error {
	kv, err := s.open(ctx)
	if err != nil {
		return err
	}
	if !apikey.IsID(id) {
		return fmt.Errorf("removing key %s: %w", id, ErrKeyNotFound)
	}
	_, err = kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("removing key %s: %w", id, ErrKeyNotFound)
	}
	if err == nil {
		err = kv.Purge(ctx, id, jetstream.PurgeTTL(keyMarkerTime))
	}
	if err != nil {
		return fmt.Errorf("removing key %s: %w", id, unavailable(err))
	}
	return nil
}

// List returns all keys, the oldest first.
func (s *Keys) List(ctx context.Context) ([]apikey.Key, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan map[string]apikey.Key, 1)
	_, err := s.Watch(ctx, func(all map[string]apikey.Key) {
		select {
		case read <- all:
		default: // it was there already
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case all := <-read:
		return slices.SortedFunc(maps.Values(all), func(a, b apikey.Key) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
		}), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading the keys: %w", unavailable(ctx.Err()))
	}
}

// Watch calls changed with all keys, by their ids, once they are read and whenever one is put or deleted, until ctx ends; done is
// closed after that. It returns once the watch is established. While the server is away the keys stay as they were; when it is
// back they are read anew, so that also a bucket that was restored or made again is taken as it is.
func (s *Keys) Watch(ctx context.Context, changed func(all map[string]apikey.Key)) (done <-chan struct{}, err error) {
	var all map[string]apikey.Key
	whole := false
	begin := func(ctx context.Context) (jetstream.KeyWatcher, error) {
		kv, err := s.open(ctx)
		if err != nil {
			return nil, err
		}
		all, whole = map[string]apikey.Key{}, false
		return kv.WatchAll(ctx)
	}
	done, err = Follow(ctx, s.conn, begin, func(entry jetstream.KeyValueEntry) {
		if entry == nil { // the mark between old values and new ones
			whole = true
		} else {
			takeKey(all, entry)
		}
		if whole {
			changed(maps.Clone(all))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("watching the keys: %w", err)
	}
	return done, nil
}

// takeKey brings the keys up to date. One that cannot be read is as good as none.
func takeKey(all map[string]apikey.Key, entry jetstream.KeyValueEntry) {
	delete(all, entry.Key())
	if entry.Operation() != jetstream.KeyValuePut {
		return
	}
	var k apikey.Key
	if json.Unmarshal(entry.Value(), &k) == nil && k.ID == entry.Key() {
		all[k.ID] = k
	}
}

// open finds the bucket. It fails with [ErrNotSetUp] if that is not there.
func (s *Keys) open(ctx context.Context) (jetstream.KeyValue, error) {
	js, err := jetstream.New(s.conn)
	if err != nil {
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	kv, err := js.KeyValue(ctx, KeysBucket)
	if err != nil {
		return nil, bindError("bucket "+KeysBucket, err)
	}
	return bucket{kv, s.conn}, nil
}
