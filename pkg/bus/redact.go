package bus

import "net/url"

// redact takes the password out of a server's URL, so that it can be shown.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable URL)"
	}
	return u.Redacted()
}
