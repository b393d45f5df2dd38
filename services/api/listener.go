package api

import (
	"context"
	"errors"

	"sluice/pkg/events"
)

// listenerRoom is how many events may wait for a listener.
const listenerRoom = 256

// Why a listener is let go.
var (
	errSlow     = errors.New("it does not keep up")
	errEnding   = errors.New("the API ends")
	errRestored = errors.New("the history has been restored from an older copy")
)

// listener is one stream's place at the feed.
type listener struct {
	jobID  string // "" for all jobs
	live   bool   // guarded by the feed
	frames chan frame
	letGo  context.CancelCauseFunc
}

// offer hands a frame over and never waits. Of progress only the latest matters, so that it has to leave half of the room
// to the rest. Reports false if the listener has no room for what must not be left out.
func (l *listener) offer(f frame) bool {
	if f.kind == events.TypeProgress && len(l.frames) >= listenerRoom/2 {
		return true
	}
	select {
	case l.frames <- f:
		return true
	default:
		return false
	}
}
