package bus

import (
	"errors"
	"net/url"
	"strings"
)

// redact takes what identifies the user out of a list of servers' addresses, so that it can be shown: a password, or a
// token in the place of the user's name. It does not parse: the client takes addresses that are no URLs.
func redact(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		scheme, rest, found := strings.Cut(server, "://")
		if !found {
			scheme, rest = "", server
		} else {
			scheme += "://"
		}
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = "xxxxx" + rest[at:]
		}
		list[i] = scheme + rest
	}
	return strings.Join(list, ",")
}

// withoutURL is the reason why a URL could not be read; the error itself repeats the URL.
func withoutURL(err error) error {
	var unreadable *url.Error
	if !errors.As(err, &unreadable) {
		return err
	}
	if _, ok := errors.AsType[url.EscapeError](unreadable.Err); ok { // shows a part of it
		return errors.New("invalid escape in the address")
	}
	return unreadable.Err
}
