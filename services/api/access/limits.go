package access

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

// countRequest takes one from the requests that the key has left, and tells of them as draft-ietf-httpapi-ratelimit-headers-10 has
// it: r are left, and in t seconds there is one more.
func (h *Holder) countRequest(now time.Time, answer http.Header) error {
	if h.limiter == nil {
		return nil
	}
	taken := h.limiter.AllowN(now, 1)
	tokens := math.Max(0, h.limiter.TokensAt(now))
	left := math.Floor(tokens + 1e-9) // it is a sum of fractions
	soon := strconv.Itoa(max(1, int(math.Ceil((left+1-tokens)/float64(h.limiter.Limit())))))
	answer.Set("RateLimit-Policy", fmt.Sprintf(`"requests";q=%d;w=60`, h.Key.RequestsPerMinute))
	answer.Set("RateLimit", fmt.Sprintf(`"requests";r=%.0f;t=%s`, left, soon))
	if taken {
		return nil
	}
	answer.Set(echo.HeaderRetryAfter, soon)
	return refusal.New(refusal.RateLimited,
		fmt.Sprintf("the key is good for %d requests a minute; try again in %s s", h.Key.RequestsPerMinute, soon))
}
