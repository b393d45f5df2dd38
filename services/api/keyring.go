package api

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"sluice/pkg/apikey"
	"sluice/pkg/bus"
	"sluice/services/api/refusal"
)

// keysAgain is the pause between two tries to read the keys.
const keysAgain = 500 * time.Millisecond

// keyring holds all keys, as the bucket has them. While NATS is away it holds those that it knows.
type keyring struct {
	read chan struct{} // is closed once the keys have been read

	mu      sync.Mutex
	holders map[string]*holder // by the ids of their keys; nil until the keys have been read
}

func newKeyring() *keyring { return &keyring{read: make(chan struct{})} }

// holder is whoever has a key.
type holder struct {
	key     apikey.Key
	gone    context.Context // ends when the key is revoked
	revoke  context.CancelFunc
	limiter *rate.Limiter // of requests; nil: there is no limit
	line    *line
}

// line is where those stand who want a job on the queue with the same key. At this API one comes after the other.
type line struct {
	turn  chan struct{} // holds one while it is somebody's turn
	known string        // the last job that was created; whose turn it is has it
}

func newHolder(k apikey.Key, before *holder) *holder {
	h := &holder{key: k, line: &line{turn: make(chan struct{}, 1)}}
	h.gone, h.revoke = context.WithCancel(context.Background())
	if k.RequestsPerMinute > 0 {
		h.limiter = rate.NewLimiter(rate.Limit(k.RequestsPerMinute)/60, k.RequestsPerMinute)
	}
	if before != nil {
		h.line = before.line
	}
	return h
}

// id is that of the key, or empty where nobody is asked for one.
func (h *holder) id() string {
	if h == nil {
		return ""
	}
	return h.key.ID
}

// run keeps the keyring up to date until ctx ends.
func (r *keyring) run(ctx context.Context, keys *bus.Keys, log *slog.Logger) {
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
func (r *keyring) update(all map[string]apikey.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders == nil {
		close(r.read)
	}
	holders := make(map[string]*holder, len(all))
	for id, k := range all {
		before := r.holders[id]
		if before != nil && reflect.DeepEqual(before.key, k) {
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

// check says whether the keys have been read.
func (r *keyring) check() string {
	select {
	case <-r.read:
		return fine
	default:
		return "not read yet"
	}
}

// find returns the holder of a key, or nil if there is none with this text, now. It fails while the keys have not been read.
func (r *keyring) find(text string, now time.Time) (*holder, error) {
	id, secret, ok := apikey.Parse(text)
	r.mu.Lock()
	h, read := r.holders[id], r.holders != nil
	r.mu.Unlock()
	if !ok {
		return nil, nil
	}
	if !read {
		return nil, refusal.New(refusal.KeysUnavailable, "the keys have not been read yet, so that none can be checked")
	}
	var k apikey.Key // which no secret fits
	if h != nil {
		k = h.key
	}
	if !k.Verify(secret, now) {
		return nil, nil
	}
	return h, nil
}
