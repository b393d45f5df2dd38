package up

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"sluice/services/api"
)

// announcement tells what runs where.
type announcement struct {
	api, files, nats, monitor, postgres, dataDir, filesDir string
	sample                                                 bool
	idle                                                   bool   // no ingester runs in this process
	keys                                                   bool   // the API asks for keys
	command                                                string // how this program is called
}

func (a announcement) write(w io.Writer) error {
	text := fmt.Sprintf(`Sluice is running.

  API       http://%s%s
  Files     http://%s  from %s
  NATS      %s  monitoring http://%s
  Postgres  %s
  Data      %s

READY

`, a.api, a.access(), a.files, a.filesDir, a.nats, a.monitor, a.postgres, a.dataDir)
	key := ""
	if a.keys {
		key = `-H "Authorization: Bearer $SLUICE_API_KEY" `
		text += fmt.Sprintf(`Make a key, from another terminal:

  export SLUICE_API_KEY=$(%s admin keys create --nats-url %s --name me --scopes read,write)

`, a.command, a.nats)
	}
	if a.sample {
		text += fmt.Sprintf(`Load the sample file, from another terminal:

  curl %s-d "fileUrl=http://%s/%s" -X POST %s/download_file
  %s submit%s http://%s/%s --watch

`, key, nearby(a.files), sampleName, nearby(a.api), a.command, a.elsewhere(), nearby(a.files), sampleName)
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

// access says for whom the API is, if that may surprise.
func (a announcement) access() string {
	switch {
	case a.keys:
		return "  asks for keys"
	case !api.Loopback(a.api):
		return "  asks nobody for a key"
	}
	return ""
}

// elsewhere is the flag that names the API to the command, unless it looks there anyway.
func (a announcement) elsewhere() string {
	if a.api == DefaultConfig().APIAddr {
		return ""
	}
	return " --url http://" + nearby(a.api)
}

// calledAs is how someone calls this program again that was called by this name: go run gives it one that is gone afterwards.
func calledAs(name string) string {
	if strings.Contains(name, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/sluice"
	}
	return name
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
