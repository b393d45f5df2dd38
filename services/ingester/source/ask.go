package source

import (
	"context"
	"fmt"
	"net/http"

	"sluice/pkg/events"
)

// ask returns an answer whose body is the file, or the rest of it with the status 206, and the address that gave it.
func (h *web) ask(ctx context.Context, first target, r *rest) (*http.Response, target, error) {
	resp, at, err := h.follow(ctx, first, r)
	if err != nil {
		return nil, at, err
	}
	good, err := h.judge(resp, at, r)
	if good {
		return resp, at, nil
	}
	resp.Body.Close() //nolint:errcheck // nobody needs it
	if err != nil {
		return nil, at, err
	}
	whole := *r
	whole.offset = 0
	return h.ask(ctx, first, &whole)
}

// judge decides whether an answer can be loaded. If it cannot but there is no error, the server does not give parts as it
// should, and the whole file is to be asked for.
func (h *web) judge(resp *http.Response, at target, r *rest) (bool, error) {
	isPart := resp.StatusCode == http.StatusPartialContent && resp.Request.Header.Get("Range") != ""
	if isPart {
		if good, err := r.isRest(resp, at); !good {
			return false, err
		}
	} else if err := judgeWhole(resp, at, r); err != nil {
		return false, err
	}
	return true, nil
}

// judgeWhole says what keeps an answer from being the whole file.
func judgeWhole(resp *http.Response, at target, r *rest) error {
	a := answer{status: resp.StatusCode}
	switch {
	case resp.StatusCode == http.StatusOK:
	case resp.Request.Header.Get("Range") != "" &&
		(a.status == http.StatusPreconditionFailed || a.status == http.StatusRequestedRangeNotSatisfiable):
		return fmt.Errorf("%w: its rest is refused with %w", ErrChanged, a)
	default:
		return judgeStatus(resp, at)
	}
	switch coding := contentCoding(resp); coding {
	case "", "gzip", "x-gzip", "zstd": // the bytes tell whether it is true
	default:
		return events.Failf(events.CodeSourceUnsupported,
			"%s is sent with %s Content-Encoding though none was asked for; have its server send it plain", at, coding)
	}
	if r != nil {
		return r.checkWhole(resp, at)
	}
	return nil
}
