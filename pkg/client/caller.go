package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// tries is how often a request is sent that may be repeated.
	tries = 4
	// maxPause is the longest pause before it is sent again. An API that wants a longer one is not asked again.
	maxPause = 30 * time.Second
)

// caller sends the requests of the generated calls, and turns answers that refuse them into errors.
type caller struct {
	config Config
	url    string
}

// Do sends a request, again after the time that the API names if it has too much to do and nothing is done twice by that.
func (c *caller) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", c.config.UserAgent)
	if c.config.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.config.Key)
	}
	for try := 1; ; try++ {
		response, err := c.config.HTTP.Do(r)
		if err != nil {
			return nil, c.failed(r.Context(), err)
		}
		pause, again := later(response)
		if !again || try == tries || !repeatable(r) {
			return accepted(response)
		}
		why := problem(response) // which closes the body
		c.config.Waiting(why, pause)
		if r, err = repeat(r); err != nil {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			if errors.Is(r.Context().Err(), context.DeadlineExceeded) {
				return nil, why
			}
			return nil, context.Cause(r.Context())
		}
	}
}

// failed says why there is no answer, without the address that the error of the library repeats.
func (c *caller) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", err)
	}
	return &Unreachable{URL: c.url, Err: err}
}

// accepted returns an answer, or the error that it stands for. What it is to be, is up to who has asked.
func accepted(r *http.Response) (*http.Response, error) {
	if r.StatusCode < http.StatusBadRequest || mediaType(r) == jsonType {
		return r, nil
	}
	return nil, problem(r)
}

// later tells whether the API asks to be asked again, and when.
func later(r *http.Response) (time.Duration, bool) {
	if r.StatusCode != http.StatusServiceUnavailable && r.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	pause := time.Duration(seconds) * time.Second
	return pause, err == nil && seconds >= 0 && seconds <= int(maxPause/time.Second)
}

// repeatable tells whether a request may be sent twice: it changes nothing, or has a key that makes it one.
func repeatable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Header.Get("Idempotency-Key") != "" && (r.Body == nil || r.GetBody != nil)
}

// repeat returns the request as it was before it was sent.
func repeat(r *http.Request) (*http.Request, error) {
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, fmt.Errorf("repeating a request: %w", err)
		}
		again.Body = body
	}
	return again, nil
}
