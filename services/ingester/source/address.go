package source

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/pkg/events"
)

// maxShown bounds the addresses in failures, in bytes: a redirect can make them as long as a header.
const maxShown = 200

// target is an address to ask, with what must not be shown kept apart.
type target struct {
	url     *url.URL          // without user and fragment, but with the query
	user    *url.Userinfo     // for Basic authorization; nil for none
	headers map[string]string // to ask with
}

// String shows the address to users: scheme, host and path, never user, password, query or fragment.
func (t target) String() string { return show(t.url) }

func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil { // not printed: it quotes the address whole
		return target{}, events.Failf(events.CodeSourceUnsupported,
			"%s is not a valid URL; give it as https://host/path", showRaw(raw))
	}
	if why := unfit(u); why != "" {
		shown := showRaw(raw)
		if u.Host != "" {
			shown = show(u)
		}
		return target{}, events.Failf(events.CodeSourceUnsupported, "%s %s; give it as https://host/path", shown, why)
	}
	return newTarget(u, u.User), nil
}

func newTarget(u *url.URL, user *url.Userinfo) target {
	bare := *u
	bare.User, bare.Fragment, bare.RawFragment = nil, "", ""
	return target{url: &bare, user: user}
}

// unfit says what keeps u from being asked, or "".
func unfit(u *url.URL) string {
	switch {
	case u.Scheme == "":
		return "is not an absolute URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "is neither an http nor an https URL"
	case u.Hostname() == "":
		return "names no host"
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return "has a port outside 1 to 65535"
	}
	return ""
}

// sameHost reports whether a and b name the same host and port; the default ports of http and https count as one, so
// that a redirect to https keeps the authorization.
func sameHost(a, b *url.URL) bool { return hostOf(a) == hostOf(b) }

func hostOf(u *url.URL) string {
	host, port := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), u.Port()
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	return host + " " + port
}

func show(u *url.URL) string {
	return cut(strings.ToValidUTF8(u.Scheme+"://"+u.Host+u.EscapedPath(), "?"), maxShown)
}

// showRaw shows an address that has no host to find its user and password before: nothing of it if there may be any.
func showRaw(raw string) string {
	if strings.Contains(raw, "@") {
		return "the address"
	}
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	return strconv.Quote(cut(raw, maxShown))
}

// cut shortens s to at most limit bytes, between two characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
