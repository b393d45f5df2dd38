package status

import (
	"context"
	"errors"
)

// check asks whether the replica can do its work: it has read the documents, and finds what it reads from and writes to.
func (s *Service) check(ctx context.Context) error {
	select {
	case <-s.ready:
	default:
		return errors.New("the documents are still being read")
	}
	if !s.bus.Conn.IsConnected() {
		return errors.New("NATS is not connected")
	}
	documents := make(chan error, 1)
	go func() { documents <- s.bus.CheckDocuments(ctx) }()
	return errors.Join(s.bus.CheckQueue(ctx), <-documents)
}
