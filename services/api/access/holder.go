package access

import (
	"context"

	"golang.org/x/time/rate"

	"sluice/pkg/apikey"
)

// Holder is whoever has a key.
type Holder struct {
	Key     apikey.Key
	gone    context.Context // ends when the key is revoked
	revoke  context.CancelFunc
	limiter *rate.Limiter // of requests; nil: there is no limit
	Line    *Line
}

func newHolder(k apikey.Key, before *Holder) *Holder {
	h := &Holder{Key: k, Line: &Line{turn: make(chan struct{}, 1)}}
	h.gone, h.revoke = context.WithCancel(context.Background())
	if k.RequestsPerMinute > 0 {
		h.limiter = rate.NewLimiter(rate.Limit(k.RequestsPerMinute)/60, k.RequestsPerMinute)
	}
	if before != nil {
		h.Line = before.Line
	}
	return h
}

// ID is that of the key, or empty where nobody is asked for one.
func (h *Holder) ID() string {
	if h == nil {
		return ""
	}
	return h.Key.ID
}
