package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"

	"sluice/pkg/events"
)

// web opens files over HTTP/1.1, with or without TLS. It is safe for concurrent use.
type web struct {
	limits    Limits
	userAgent string
	dialer    *dialer
	transport *http.Transport
}

func newWeb(cfg Config) (*web, error) {
	guard, err := newGuard(cfg.Allow)
	if err != nil {
		return nil, err
	}
	d := &dialer{guard: guard, timeout: cfg.Connect}
	return &web{limits: cfg.Limits, userAgent: cfg.UserAgent, dialer: d, transport: newTransport(cfg.Limits, d)}, nil
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

func (h *web) open(trip context.Context, wanted Request, r *rest) (*answered, error) {
	first, err := parseTarget(wanted.URL)
	if err != nil {
		return nil, err
	}
	first.headers = wanted.Headers
	resp, at, err := h.ask(trip, first, r) //nolint:bodyclose // the wire closes it
	if err != nil {
		return nil, err
	}
	size, framed := extent(resp)
	file := &answered{
		about: about{
			at: shownURL{at.url}, name: cmp.Or(dispositionName(resp.Header), nameOf(first.url)), charset: charset(resp.Header),
			size: size, framed: framed, validator: validatorOf(resp, at, size),
		},
		content: webContent{resp.Body},
	}
	redirected := at.url.RawQuery != "" && at.url.String() != first.url.String()
	file.validator.Queried = redirected || len(wanted.Headers) > 0
	if resp.StatusCode == http.StatusPartialContent {
		file.start = r.from
	}
	return file, nil
}

// webContent is the body of an answer.
type webContent struct{ io.ReadCloser }

func (webContent) broke(_ error, at fmt.Stringer, place string) *events.Failure {
	return events.Failf(events.CodeSourceTruncated, "%s broke off after %s; check its server or try again later", at, place)
}

// get sends one request and returns its answer, whatever the status.
func (h *web) get(ctx context.Context, at target, r *rest) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.url.String(), nil)
	if err != nil {
		return nil, events.Failf(events.CodeSourceUnsupported, "%s is not an address that HTTP can ask for; check it", at)
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	if h.userAgent != "" {
		req.Header.Set("User-Agent", h.userAgent)
	}
	for name, value := range at.headers {
		req.Header.Set(name, value)
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
