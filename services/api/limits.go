package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

// countRequest takes one from the requests that the key has left, and tells of them as draft-ietf-httpapi-ratelimit-headers-10 has
// it: r are left, and in t seconds there is one more.
func (h *holder) countRequest(now time.Time, answer http.Header) error {
	if h.limiter == nil {
		return nil
	}
	taken := h.limiter.AllowN(now, 1)
	tokens := math.Max(0, h.limiter.TokensAt(now))
	left := math.Floor(tokens + 1e-9) // it is a sum of fractions
	soon := strconv.Itoa(max(1, int(math.Ceil((left+1-tokens)/float64(h.limiter.Limit())))))
	answer.Set("RateLimit-Policy", fmt.Sprintf(`"requests";q=%d;w=60`, h.key.RequestsPerMinute))
	answer.Set("RateLimit", fmt.Sprintf(`"requests";r=%.0f;t=%s`, left, soon))
	if taken {
		return nil
	}
	answer.Set(echo.HeaderRetryAfter, soon)
	return refusal.New(refusal.RateLimited, fmt.Sprintf("the key is good for %d requests a minute; try again in %s s", h.key.RequestsPerMinute, soon))
}

// queueing does what puts a job on the queue, if there is room for it: no more jobs wait that were created with the caller's key
// than that allows. A job that is there already was let in before, and is not refused now.
func (s *Service) queueing(
	ctx context.Context, there func(context.Context) (bool, error), do func() (events.Status, error),
) (events.Status, error) {
	h := holderOf(ctx)
	if h == nil || h.key.QueuedJobs == 0 {
		return do()
	}
	if err := h.line.enter(ctx); err != nil {
		return events.Status{}, err
	}
	defer h.line.leave()
	repeated, err := there(ctx)
	if err == nil && !repeated {
		err = s.checkQueue(ctx, h)
	}
	if err != nil {
		return events.Status{}, err
	}
	status, err := do()
	if err == nil && status.Spec.Submitter == h.key.ID {
		h.line.known = status.ID
	}
	return status, err
}

// checkQueue refuses another job if as many wait as the holder's key allows. It knows of those that were created here.
func (s *Service) checkQueue(ctx context.Context, h *holder) error {
	var lanes events.Lanes
	if err := s.ask(ctx, events.SubjectStatusWaiting, events.Waiting{Submitter: h.key.ID, Known: h.line.known}, &lanes); err != nil {
		return err
	}
	waiting := 0
	for _, n := range lanes.Queued {
		waiting += n
	}
	if waiting < h.key.QueuedJobs {
		return nil
	}
	return refusal.New(refusal.TooManyJobs,
		fmt.Sprintf("%d jobs of this key wait on the queue, and it is good for %d; try again when some have begun", waiting, h.key.QueuedJobs))
}

// enter waits for one's turn.
func (l *line) enter(ctx context.Context) error {
	patience := time.NewTimer(createTime)
	defer patience.Stop()
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return refusal.New(refusal.TooManyJobs, "too many jobs are being created with this key at the same time; try again later")
	}
}

func (l *line) leave() { <-l.turn }
