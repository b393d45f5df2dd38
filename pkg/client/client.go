package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client asks one API. It may be used by many goroutines at once.
type Client struct {
	calls   *Calls
	url     string
	waiting func(why error, most time.Duration)
}

// Config says what a client is.
type Config struct {
	Key       string       // an API key; empty: none is sent
	UserAgent string       // empty: sluice-client
	HTTP      *http.Client // nil: [http.DefaultClient]; it must not limit the time of a whole answer, as streams last
	// Waiting is told before each pause after which the API is asked again: why, and how long that goes on at the most. It may be called
	// by several goroutines at once. nil: nobody is told.
	Waiting func(why error, most time.Duration)
}

// New returns a client of the API at an http or https address, such as http://127.0.0.1:3000. It asks nothing yet, and fails if
// that is no such address.
func New(address string, c Config) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the API's address is not a URL") // err shows it, and with it a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the API's address must start with http:// or https://, not %s", u.Redacted())
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the API's address must have neither user nor query: %s", u.Redacted())
	}
	if c.UserAgent == "" {
		c.UserAgent = "sluice-client"
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Waiting == nil {
		c.Waiting = func(error, time.Duration) {}
	}
	base := strings.TrimSuffix(u.String(), "/")
	calls, err := NewClient(base, WithHTTPClient(&caller{config: c, url: base}))
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", base, err)
	}
	return &Client{calls: calls, url: base, waiting: c.Waiting}, nil
}

// URL is the API's address.
func (c *Client) URL() string { return c.url }

// Calls are the generated calls, for what [Client] has no method for. Their errors are those of [Client].
func (c *Client) Calls() *Calls { return c.calls }

// Answer is what the API has said.
type Answer[T any] struct {
	Value T
	JSON  json.RawMessage // Value as it came, also with what this client does not know of
	// ETag names what the answer says, if it has a name.
	ETag string
}

// answer reads an answer in JSON to its end.
func answer[T any](r *http.Response, err error) (Answer[T], error) {
	var a Answer[T]
	if err != nil {
		return a, err
	}
	defer func() { _ = r.Body.Close() }()
	if media := mediaType(r); media != jsonType {
		return a, unexpected(r, "not JSON but "+orNothing(media))
	}
	a.JSON, err = io.ReadAll(r.Body)
	if err != nil {
		return a, &Unreachable{URL: origin(r.Request), Err: err}
	}
	if err := json.Unmarshal(a.JSON, &a.Value); err != nil {
		return a, unexpected(r, "not what this client knows: "+err.Error())
	}
	a.ETag = r.Header.Get("ETag")
	return a, nil
}

// stream returns the body of an answer that must be of this type.
func stream(r *http.Response, err error, media string) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	if got := mediaType(r); got != media {
		_ = r.Body.Close()
		return nil, unexpected(r, "not "+media+" but "+orNothing(got))
	}
	return &broken{r.Body, origin(r.Request)}, nil
}

// broken is a stream of the API, whose errors are those of a connection.
type broken struct {
	io.ReadCloser
	url string
}

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) {
		err = &Unreachable{URL: b.url, Err: err}
	}
	return n, err
}

// accepting asks for an answer of this type.
func accepting(media string) RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Accept", media)
		return nil
	}
}
