// Package source opens the bytes of a job's file. It knows neither the queue nor the database.
//
// Servers are not trusted: an [HTTP] source reaches public addresses only, bounds what a server may cost, and turns
// whatever goes wrong into an [events.Failure] that tells users what to do and holds no secret of the address.
package source

import (
	"context"
	"fmt"
	"net/http"

	"sluice/pkg/events"
)

// HTTP opens files over HTTP/1.1, with or without TLS. It is safe for concurrent use.
type HTTP struct {
	limits    Limits
	userAgent string
	dialer    *dialer
	transport *http.Transport
}

// NewHTTP returns a source that keeps to cfg. It fails when cfg has a bad limit or a bad entry in Allow, and names it.
func NewHTTP(cfg Config) (*HTTP, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configuring the source: %w", err)
	}
	guard, err := newGuard(cfg.Allow)
	if err != nil {
		return nil, fmt.Errorf("configuring the source: %w", err)
	}
	d := &dialer{guard: guard, timeout: cfg.Connect}
	return &HTTP{limits: cfg.Limits, userAgent: cfg.UserAgent, dialer: d, transport: newTransport(cfg.Limits, d)}, nil
}

func newTransport(limits Limits, d *dialer) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true) // one stream per connection: a cut or a stall concerns one job
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial addresses that the guard never sees
		DialContext:            d.dial,
		TLSHandshakeTimeout:    limits.Connect,
		ResponseHeaderTimeout:  limits.Header,
		MaxResponseHeaderBytes: limits.HeaderBytes,
		DisableKeepAlives:      true, // one GET per file: nothing would use the connection again
		DisableCompression:     true,
		ReadBufferSize:         64 << 10,
		Protocols:              &protocols,
	}
}

// Open asks for the file with one GET (RFC 9110, section 9.3.1), follows redirects and returns its body. User and
// password in rawURL become Basic authorization (RFC 7617) for that host alone.
//
// Its errors are an [*events.Failure], or ctx's error once ctx is done. ctx also ends the reading of the body, so it
// must live as long as that. The caller closes the body.
func (h *HTTP) Open(ctx context.Context, rawURL string) (*Body, error) {
	return h.open(ctx, rawURL, nil)
}

// open asks for the rest of a file, or for the whole if r is nil.
func (h *HTTP) open(ctx context.Context, rawURL string, r *rest) (*Body, error) {
	first, err := parseTarget(rawURL)
	if err != nil {
		return nil, err
	}
	trip, end := context.WithCancelCause(ctx)
	resp, at, err := h.ask(trip, first, r) //nolint:bodyclose // the Body closes it
	if err != nil {
		end(nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	body := newBody(ctx, trip, end, resp, at, nameOf(first.url), h.limits)
	if r == nil {
		return body, nil
	}
	if err := body.goOn(r, resp.StatusCode == http.StatusPartialContent); err != nil {
		body.Close() //nolint:errcheck // the failure says more
		return nil, err
	}
	return body, nil
}

// get sends one request and returns its answer, whatever the status.
func (h *HTTP) get(ctx context.Context, at target, r *rest) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.url.String(), nil)
	if err != nil {
		return nil, events.Failf(events.CodeSourceUnsupported, "%s is not an address that HTTP can ask for; check it", at)
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	if h.userAgent != "" {
		req.Header.Set("User-Agent", h.userAgent)
	}
	if at.user != nil {
		password, _ := at.user.Password()
		req.SetBasicAuth(at.user.Username(), password)
	}
	r.narrow(req.Header, at)
	resp, err := h.transport.RoundTrip(req) // not a Client, which sends a Referer and prints whole URLs in its errors
	if err != nil {
		return nil, h.explain(err, at)
	}
	return resp, nil
}
