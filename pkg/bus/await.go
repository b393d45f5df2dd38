package bus

import (
	"context"
	"time"
)

// awaitEvery is the pause between two looks for what is not there yet.
const awaitEvery = 500 * time.Millisecond

// Await connects and binds as [Connect] and [Bind] do, but waits for a server that does not answer yet and for a set-up
// that has not been done. It calls waiting with what it waits for, whenever that changes, and fails only when ctx ends.
func Await(ctx context.Context, url, name string, waiting func(err error)) (*Bus, error) {
	said := ""
	for {
		b, err := open(ctx, url, name)
		if err == nil {
			return b, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err.Error() != said {
			said = err.Error()
			waiting(err)
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func open(ctx context.Context, url, name string) (*Bus, error) {
	nc, err := Connect(url, name)
	if err != nil {
		return nil, err
	}
	b, err := Bind(ctx, nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
}
