package source

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"sluice/pkg/events"
)

// explain turns what kept a request from being answered into a failure. It never prints err, which may quote what the
// server sent, and that may be our own request.
func (h *web) explain(err error, at target) *events.Failure {
	var lookup *net.DNSError
	var network net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, errForbidden):
		return forbidden(err, at)
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return events.Failf(events.CodeSourceNotFound, "the host of %s does not exist; check its name", at)
	case errors.As(err, &lookup):
		return events.Failf(events.CodeSourceUnreachable,
			"the name servers do not tell the address of the host of %s; check its name or try again later", at)
	case errors.As(err, &op) && op.Op == "dial":
		return h.notConnected(op, at)
	case isTLS(err):
		return events.Failf(events.CodeSourceUnsupported, "%s %s; repair the server's TLS", at, tlsTrouble(err))
	case errors.As(err, &network) && network.Timeout():
		return events.Failf(events.CodeSourceUnreachable,
			"%s does not answer in time; check its server or try again later", at)
	case isCut(err):
		return events.Failf(events.CodeSourceUnreachable,
			"%s closes the connection before it answers; check its server or try again later", at)
	}
	return events.Failf(events.CodeSourceUnsupported, "%s %s; repair its server", at, h.protocolTrouble(err))
}

func forbidden(err error, at target) *events.Failure {
	if errors.Is(err, ssrf.ErrProhibitedPort) {
		return events.Failf(events.CodeSourceForbidden,
			"%s is on a port other than 80 and 443; use one of these or have the operator allow its host", at)
	}
	return events.Failf(events.CodeSourceForbidden,
		"%s is not on the public internet; use a public address or have the operator allow its host", at)
}

func (h *web) notConnected(err *net.OpError, at target) *events.Failure {
	what := "cannot be reached"
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		what = "refuses the connection"
	case err.Timeout():
		what = "cannot be connected to within " + h.limits.Connect.String()
	}
	return events.Failf(events.CodeSourceUnreachable, "%s %s; check host and port or try again later", at, what)
}

// isTLS reports whether the two sides could not agree on TLS (RFC 8446).
func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	return errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") // how crypto/tls reports alerts
}

func tlsTrouble(err error) string {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return "has a certificate that is not valid for it"
	case errors.As(err, &record):
		return "answers without TLS on an https address"
	}
	return "does not agree on a way to encrypt"
}

// isCut reports whether the connection broke.
func isCut(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op)
}

// protocolTrouble words an answer that net/http refused. It has no types for these: the text chooses our words only,
// never the code.
func (h *web) protocolTrouble(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "response headers exceeded"):
		return "sends a response header larger than " + formatBytes(h.limits.HeaderBytes)
	case strings.Contains(text, "multiple Content-Length"):
		return "announces two different lengths"
	}
	return "does not answer in valid HTTP"
}
