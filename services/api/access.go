package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

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

// AsksForKeys reports whether an API at an address asks for keys: everywhere but on a loopback address, unless it is told otherwise.
func AsksForKeys(addr string, require, without bool) (bool, error) {
	if require && without {
		return false, errors.New("--require-keys and --without-keys contradict each other")
	}
	return require || !without && !Loopback(addr), nil
}

type holderKey struct{}

// holderOf returns who sends a request, or nil where nobody is asked for a key.
func holderOf(ctx context.Context) *holder {
	h, _ := ctx.Value(holderKey{}).(*holder)
	return h
}

// access lets only those requests to e pass that have a key with the scopes that their route needs.
func (s *Service) access(e *echo.Echo) echo.MiddlewareFunc {
	all := sync.OnceValue(func() rights { return rightsOf(e.Routes()) }) // once all of them are there
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			needed := all().needed(c)
			if !s.config.RequireKeys || len(needed) == 0 {
				return next(c)
			}
			h, err := s.authenticate(c.Request().Header, c.Response().Header())
			if err != nil {
				return err
			}
			if err := h.countRequest(s.now(), c.Response().Header()); err != nil {
				return err
			}
			for _, scope := range needed {
				if err := h.authorize(scope, c.Response().Header()); err != nil {
					return err
				}
			}
			return s.serveHolder(c, h, next)
		}
	}
}

// authenticate returns the holder of the key that a request has. What is wrong with a key is not told.
func (s *Service) authenticate(asked, answer http.Header) (*holder, error) {
	given := asked.Values(echo.HeaderAuthorization)
	if len(given) == 0 {
		answer.Set(echo.HeaderWWWAuthenticate, challenge)
		return nil, refusal.New(refusal.Unauthenticated, "send a key as Authorization: Bearer KEY; `sluice admin keys create` makes one")
	}
	var h *holder
	if scheme, text, _ := strings.Cut(given[0], " "); len(given) == 1 && strings.EqualFold(scheme, "Bearer") {
		var err error
		if h, err = s.keys.find(strings.Trim(text, " "), s.now()); err != nil {
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
func (h *holder) authorize(scope apikey.Scope, answer http.Header) error {
	if h.key.Allows(scope) {
		return nil
	}
	answer.Set(echo.HeaderWWWAuthenticate, challengeScope+string(scope)+`"`)
	return refusal.New(refusal.ScopeMissing, "the key needs the scope "+string(scope)+", which it has not got")
}

// serveHolder serves a request for as long as its key is valid. What lasts, such as a stream, is then broken off.
func (s *Service) serveHolder(c echo.Context, h *holder, next echo.HandlerFunc) error {
	ctx, end := context.WithCancelCause(context.WithValue(c.Request().Context(), holderKey{}, h))
	defer end(nil)
	defer context.AfterFunc(h.gone, func() { end(errKeyGone) })()
	if !h.key.ExpiresAt.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, h.key.ExpiresAt.Sub(s.now()), errKeyGone)
		defer cancel()
	}
	c.SetRequest(c.Request().WithContext(ctx))
	err := next(c)
	if err != nil && errors.Is(context.Cause(ctx), errKeyGone) {
		return invalidKey(c.Response().Header()).Because(err)
	}
	return err
}
