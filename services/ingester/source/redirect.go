package source

import (
	"context"
	"errors"
	"net/http"

	"sluice/pkg/events"
)

// follow asks first and then wherever it redirects (RFC 9110, section 15.4), up to the limit. It returns the answer
// that is no redirect and the address that gave it.
func (h *web) follow(ctx context.Context, first target, r *rest) (*http.Response, target, error) {
	at := first
	for followed := 0; ; followed++ {
		resp, err := h.get(ctx, at, r)
		if err != nil && followed > 0 {
			return nil, at, behind(first, err)
		}
		if err != nil || !isRedirect(resp.StatusCode) {
			return resp, at, err
		}
		resp.Body.Close() //nolint:errcheck // nobody needs the body of a redirect
		if followed == h.limits.Redirects {
			return nil, at, events.Failf(events.CodeSourceRedirects,
				"%s leads to more than %d redirects; give the address at their end", first, h.limits.Redirects)
		}
		if at, err = at.next(resp); err != nil {
			return nil, at, err
		}
	}
}

// behind says of a failure that the address it is about is one that the user's redirects to.
func behind(first target, err error) error {
	f, ok := errors.AsType[*events.Failure](err)
	if !ok {
		return err
	}
	told := *f
	told.Message = first.String() + " redirects: " + f.Message
	return &told
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// next is the address that the redirect resp, answered by t, leads to.
func (t target) next(resp *http.Response) (target, error) {
	u, err := resp.Location()
	if err != nil { // not printed: it quotes the location whole
		return t, events.Failf(events.CodeSourceRedirects,
			"%s redirects without a valid Location; give the address of the file itself", t)
	}
	if why := unfit(u); why != "" {
		return t, events.Failf(events.CodeSourceRedirects,
			"%s redirects to an address that %s; give the address of the file itself", t, why)
	}
	if t.url.Scheme == "https" && u.Scheme == "http" {
		return t, events.Failf(events.CodeSourceRedirects,
			"%s redirects from https to http, which is not safe; give the address of the file itself", t)
	}
	next := newTarget(u, t.user)
	next.headers = t.headers
	if !sameHost(t.url, u) { // once another host has had a say, authorization is gone for good
		next.user, next.headers = nil, nil
	}
	return next, nil
}
