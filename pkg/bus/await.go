package bus

import (
	"context"
	"errors"
	"time"
)

// awaitEvery is the pause between two looks for what is not there yet.
const awaitEvery = 500 * time.Millisecond

// Await connects and binds as [Connect] and [Bind] do, but waits for a server that does not answer yet and for a set-up
// that has not been done. It calls waiting with what it waits for, whenever that changes, and fails only when ctx ends.
func Await(ctx context.Context, url, name string, waiting func(err error)) (*Bus, error) {
	var b *Bus
	err := again(ctx, waiting, func(error) bool { return true }, func() (err error) {
		b, err = open(ctx, url, name)
		return err
	})
	return b, err
}

// Patiently does what a process needs of the server before it can begin, and does it again while the server does not answer.
// It calls waiting like [Await], and fails with any other error, and when ctx ends.
func Patiently(ctx context.Context, waiting func(err error), do func() error) error {
	return again(ctx, waiting, func(err error) bool { return errors.Is(unavailable(err), ErrUnavailable) }, do)
}

func again(ctx context.Context, waiting func(err error), passes func(err error) bool, do func() error) error {
	said := ""
	for {
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !passes(err) {
			return err
		}
		if err.Error() != said {
			said = err.Error()
			waiting(err)
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return ctx.Err()
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
