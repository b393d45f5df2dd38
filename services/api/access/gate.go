// Package access lets those use the API who have a key for it, as much as it is good for.
package access

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"sluice/pkg/apikey"
	"sluice/services/api/refusal"
)

// errKeyGone is why a request ends whose key is revoked, or expires, while it is under way.
var errKeyGone = errors.New("the key is not valid any more")

// How a refusal names what is asked for (RFC 6750, section 3).
const (
	challenge        = `Bearer realm="sluice"`
	challengeInvalid = challenge + `, error="invalid_token"`
	challengeScope   = challenge + `, error="insufficient_scope", scope="`
)

type holderKey struct{}

// HolderOf returns who sends a request, or nil where nobody is asked for a key.
func HolderOf(ctx context.Context) *Holder {
	h, _ := ctx.Value(holderKey{}).(*Holder)
	return h
}

// Gate lets only those requests pass that have a key with the scopes that their route needs.
type Gate struct {
	Keys    *Keyring
	Now     func() time.Time
	Skipper middleware.Skipper // of requests for which no key is asked
}

// Middleware is the gate to the routes of e.
func (g Gate) Middleware(e *echo.Echo) echo.MiddlewareFunc {
	all := sync.OnceValue(func() rights { return rightsOf(e.Routes()) }) // once all of them are there
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			needed := all().needed(c)
			if g.Skipper(c) || len(needed) == 0 {
				return next(c)
			}
			h, err := g.authenticate(c.Request().Header, c.Response().Header())
			if err != nil {
				return err
			}
			if err := h.countRequest(g.Now(), c.Response().Header()); err != nil {
				return err
			}
			for _, scope := range needed {
				if err := h.authorize(scope, c.Response().Header()); err != nil {
					return err
				}
			}
			return g.serve(c, h, next)
		}
	}
}

// authenticate returns the holder of the key that a request has. What is wrong with a key is not told.
func (g Gate) authenticate(asked, answer http.Header) (*Holder, error) {
	given := asked.Values(echo.HeaderAuthorization)
	if len(given) == 0 {
		answer.Set(echo.HeaderWWWAuthenticate, challenge)
		return nil, refusal.New(refusal.Unauthenticated, "send a key as Authorization: Bearer KEY; `sluice admin keys create` makes one")
	}
	var h *Holder
	if scheme, text, _ := strings.Cut(given[0], " "); len(given) == 1 && strings.EqualFold(scheme, "Bearer") {
		var err error
		if h, err = g.Keys.Find(strings.Trim(text, " "), g.Now()); err != nil {
			return nil, err
		}
	}
	if h == nil {
		return nil, invalidKey(answer)
	}
	return h, nil
}

func invalidKey(answer http.Header) *refusal.Error {
	answer.Set(echo.HeaderWWWAuthenticate, challengeInvalid)
	return refusal.New(refusal.Unauthenticated, "the request has no key that is valid: it may be misspelt, expired or revoked")
}

// authorize refuses what the holder's key has no scope for.
func (h *Holder) authorize(scope apikey.Scope, answer http.Header) error {
	if h.Key.Allows(scope) {
		return nil
	}
	answer.Set(echo.HeaderWWWAuthenticate, challengeScope+string(scope)+`"`)
	return refusal.New(refusal.ScopeMissing, "the key needs the scope "+string(scope)+", which it has not got")
}

// serve serves a request for as long as its key is valid. What lasts, such as a stream, is then broken off.
func (g Gate) serve(c echo.Context, h *Holder, next echo.HandlerFunc) error {
	ctx, end := context.WithCancelCause(context.WithValue(c.Request().Context(), holderKey{}, h))
	defer end(nil)
	defer context.AfterFunc(h.gone, func() { end(errKeyGone) })()
	if !h.Key.ExpiresAt.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, h.Key.ExpiresAt.Sub(g.Now()), errKeyGone)
		defer cancel()
	}
	c.SetRequest(c.Request().WithContext(ctx))
	err := next(c)
	if err != nil && errors.Is(context.Cause(ctx), errKeyGone) {
		return invalidKey(c.Response().Header()).Because(err)
	}
	return err
}
