package cli

import (
	"errors"
	"sync"
	"time"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

// quietTime is how long it is not said again what is waited for. No wait is as long.
const quietTime = 2 * time.Minute

// waits tells what the API is waited for, each reason once.
type waits struct {
	say func(text string)
	now func() time.Time

	mu   sync.Mutex
	said map[string]time.Time // by the code of the reason; empty: the API cannot be reached
}

// told tells why the API is asked again, and how long that goes on at the most.
func (w *waits) told(why error, most time.Duration) {
	reason := ""
	if p, ok := errors.AsType[*client.Problem](why); ok {
		reason = p.Code
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, said := w.said[reason]; said && w.now().Sub(at) < quietTime {
		return
	}
	if w.said == nil {
		w.said = map[string]time.Time{}
	}
	w.said[reason] = w.now()
	w.say("sluice: waiting up to " + progress.Duration(most) + ": " + visible(why.Error()))
}
