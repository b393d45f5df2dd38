package access

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"sluice/pkg/apikey"
	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

// keysAgain is the pause between two tries to read the keys.
const keysAgain = 500 * time.Millisecond

// Keyring holds all keys, as the bucket has them. While NATS is away it holds those that it knows.
type Keyring struct {
	read chan struct{} // is closed once the keys have been read

	mu      sync.Mutex
	holders map[string]*Holder // by the ids of their keys; nil until the keys have been read
}

// NewKeyring returns a keyring that has read no keys yet.
func NewKeyring() *Keyring { return &Keyring{read: make(chan struct{})} }

// Run keeps the keyring up to date until ctx ends.
func (r *Keyring) Run(ctx context.Context, keys *bus.Keys, log *slog.Logger) {
	for said := ""; ; {
		done, err := keys.Watch(ctx, r.update)
		if err == nil {
			<-done
			return
		}
		if err.Error() != said && ctx.Err() == nil {
			said = err.Error()
			log.Warn("the keys cannot be read; requests with keys are refused until they can", "err", err)
		}
		select {
		case <-time.After(keysAgain):
		case <-ctx.Done():
			return
		}
	}
}

// update takes over what keys there are. Limits go on for those that stay as they are.
func (r *Keyring) update(all map[string]apikey.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders == nil {
		close(r.read)
	}
	holders := make(map[string]*Holder, len(all))
	for id, k := range all {
		before := r.holders[id]
		if before != nil && reflect.DeepEqual(before.Key, k) {
			holders[id] = before
			continue
		}
		holders[id] = newHolder(k, before)
	}
	for id, before := range r.holders {
		if holders[id] != before {
			before.revoke()
		}
	}
	r.holders = holders
}

// Read returns what is closed once the keys have been read.
func (r *Keyring) Read() <-chan struct{} { return r.read }

// Holder returns the holder of the key that has an id, or nil if there is none.
func (r *Keyring) Holder(id string) *Holder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.holders[id]
}

// Find returns the holder of a key, or nil if there is none with this text, now. It fails while the keys have not been read.
func (r *Keyring) Find(text string, now time.Time) (*Holder, error) {
	id, secret, ok := apikey.Parse(text)
	if !ok {
		return nil, nil
	}
	select {
	case <-r.read:
	default:
		return nil, refusal.New(refusal.KeysUnavailable, "the keys have not been read yet, so that none can be checked")
	}
	h := r.Holder(id)
	var k apikey.Key // which no secret fits
	if h != nil {
		k = h.Key
	}
	if !k.Verify(secret, now) {
		return nil, nil
	}
	return h, nil
}
