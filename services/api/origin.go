package api

import (
	"net"
	"net/http"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

// ownOnly refuses what a page on the web makes a browser send: the API does not ask who calls, so that whoever gets a
// user of this machine to open a page could create jobs. Browsers tell where a request comes from (Fetch Metadata, RFC
// 6454); under a name that its owner points at this machine a page would be at home, so that only this machine's own
// names are answered. Where a key is asked for, which such a page has not got, any name will do.
func (s *Service) ownOnly(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return refusal.New(refusal.CrossOrigin, "the request comes from a page of another origin").Because(err)
		}
		if s.config.LocalOnly && !s.config.RequireKeys && !local(c.Request().Host) {
			return refusal.New(refusal.CrossOrigin, "the request is addressed to a name that is not this machine's; use localhost or 127.0.0.1")
		}
		return next(c)
	}
}

func local(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return Loopback(net.JoinHostPort(host, "0"))
}
