// Package transcript keeps what a process says, for those who wait for it.
package transcript

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
)

// Transcript is what a process has said so far.
type Transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at the next change
}

func (s *Transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.text.Write(p)
}

func (s *Transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Await returns once the process has said a text; it fails when ctx or the process ends before.
func (s *Transcript) Await(ctx context.Context, text string, ended <-chan struct{}) error {
	for {
		s.mu.Lock()
		said := strings.Contains(s.text.String(), text)
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if said {
			return nil
		}
		select {
		case <-changed:
		case <-ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
