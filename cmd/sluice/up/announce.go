package up

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// announcement tells what runs where.
type announcement struct {
	api, files, nats, monitor, postgres, dataDir, filesDir string
	sample                                                 bool
	idle                                                   bool // no ingester runs in this process
}

func (a announcement) write(w io.Writer) error {
	text := fmt.Sprintf(`Sluice is running.

  API       http://%s
  Files     http://%s  from %s
  NATS      %s  monitoring http://%s
  Postgres  %s
  Data      %s

READY

`, a.api, a.files, a.filesDir, a.nats, a.monitor, a.postgres, a.dataDir)
	if a.sample {
		text += fmt.Sprintf(`Load the sample file, from another terminal:

  curl -d "fileUrl=http://%s/%s" -X POST %s/download_file

`, nearby(a.files), sampleName, nearby(a.api))
	}
	if a.idle {
		text += "No ingester runs here: jobs wait until you start one beside it, with these addresses of NATS and Postgres.\n\n"
	}
	text += "Ctrl-C ends all of it; jobs and data are kept.\n"
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("saying what runs where: %w", err)
	}
	return nil
}

// nearby is an address as someone on this machine would type it.
func nearby(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || host != "127.0.0.1" && !ip.IsUnspecified() {
		return addr
	}
	return "localhost:" + port
}

// redacted is a database's URL without its password.
func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "(as given)" // a keyword/value string may hold a password anywhere
	}
	query := u.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		if query.Has(secret) {
			query.Set(secret, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
