package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/pkg/events"
	"sluice/services/api/openapi"
)

const (
	// maxPatience bounds how long an answer may be waited for.
	maxPatience = 60 * time.Second
	jobRoute    = "/v1/jobs/:id"
)

// patience is how long the caller would wait, of the form that the document says: 1s to 60s.
func patience(text *string) (time.Duration, error) {
	if text == nil {
		return 0, nil
	}
	d, err := time.ParseDuration(*text)
	if err != nil {
		return 0, fmt.Errorf("reading wait: %w", err)
	}
	return d, nil
}

// lingers lifts the server's limits for requests where the answer may be waited for.
func lingers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Path() == jobRoute && c.Request().Method == http.MethodGet && c.QueryParams().Has("wait") {
			control := http.NewResponseController(c.Response())
			_ = control.SetReadDeadline(time.Time{}) // past it, the server would take the client for gone; both fail only if it is
			_ = control.SetWriteDeadline(time.Now().Add(maxPatience + questionTime + writeTime))
		}
		return next(c)
	}
}

// awaitJob tells how a job stands. A caller who waits is told when it has ended, or looks otherwise than known, and else when
// the time is up.
func (s *Service) awaitJob(ctx context.Context, id string, p openapi.GetJobParams) (view openapi.Job, tag etag, err error) {
	wait, err := patience(p.Wait)
	if err != nil {
		return view, "", err
	}
	var l *listener // it listens before it asks, so that it misses nothing
	listening, up := ctx, make(<-chan time.Time)
	if wait > 0 {
		end, letGo := context.WithCancel(ctx)
		defer letGo()
		if listening, l, err = s.feed.join(end, id); err != nil {
			return view, "", err
		}
		s.feed.goLive(l)
		timer := time.NewTimer(wait)
		defer timer.Stop()
		up = timer.C
	}
	for question := (events.Get{ID: id}); ; {
		status, err := s.status(ctx, question)
		if err != nil {
			return view, "", err
		}
		view = viewJob(status)
		if tag, err = etagOf(view); err != nil {
			return view, "", err
		}
		known := p.IfNoneMatch != nil
		if wait == 0 || known && !tag.in(p.IfNoneMatch) || status.State.Terminal() {
			return view, tag, nil
		}
		if question.Sequence = l.next(listening, up, !known); question.Sequence == 0 {
			wait = 0 // and told how it stands then
		}
	}
}

// next returns the sequence of the next event, or of the next that ends a run, or 0 when the time is up or the listener's
// place is gone.
func (l *listener) next(ctx context.Context, up <-chan time.Time, ends bool) uint64 {
	for {
		select {
		case f := <-l.frames:
			if !ends || f.kind.Terminal() {
				return f.sequence
			}
		case <-up:
			return 0
		case <-ctx.Done():
			return 0
		}
	}
}
