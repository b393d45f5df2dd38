package source

import (
	"fmt"
	"strings"
	"time"
)

// Config says what an [Opener] may do. [DefaultConfig] gives the defaults.
type Config struct {
	// Allow opens addresses that are closed otherwise, which are all but the public ones on the ports 80 and 443.
	// An entry is a CIDR, an address or a host, which it opens on all ports, or host:port or address:port, which
	// opens that one port: "127.0.0.0/8", "::1", "localhost", "files.internal:8080", "[fd00::7]:9000".
	// An allowed host is trusted to resolve to any address. (SLUICE_SOURCE_ALLOW)
	Allow []string
	// Folders are those whose files may be read, with all that is below them; none unless some are listed.
	// (SLUICE_SOURCE_FOLDERS)
	Folders []string
	// Uploads is the store of uploaded files; nil if there is none.
	Uploads Uploads
	Limits
	// UserAgent is sent with every request (RFC 9110, section 10.1.5); empty leaves it to net/http.
	UserAgent string
}

// Limits bound what a server may cost. All of them must be positive, only Redirects may be 0.
type Limits struct {
	Connect     time.Duration // for finding and connecting to a server, and once more for the TLS handshake
	Header      time.Duration // from the request until the whole response header is here
	HeaderBytes int64         // of one response header, interim (1xx) responses included
	StallWindow time.Duration // of waiting for bytes, after which the body must have kept up StallRate
	StallRate   int64         // in bytes per second, the least average within a StallWindow
	Size        int64         // of the file as it is sent, in bytes
	TextSize    int64         // of the file when it is decompressed, in bytes
	Ratio       int64         // how many times as large as it is sent a file may be, past its first 10 MiB
	Redirects   int           // followed per source
}

// DefaultConfig allows public addresses only and has the default limits.
func DefaultConfig() Config {
	return Config{
		Limits: Limits{
			Connect:     10 * time.Second,
			Header:      30 * time.Second,
			HeaderBytes: 256 << 10,
			StallWindow: 60 * time.Second,
			StallRate:   1 << 10,
			Size:        100 << 30,
			TextSize:    100 << 30,
			Ratio:       200,
			Redirects:   5,
		},
		UserAgent: "sluice",
	}
}

func (c Config) validate() error {
	positive := []struct {
		name  string
		value int64
	}{
		{"SLUICE_SOURCE_CONNECT_TIME", int64(c.Connect)},
		{"SLUICE_SOURCE_HEADER_TIME", int64(c.Header)},
		{"SLUICE_SOURCE_HEADER_BYTES", c.HeaderBytes},
		{"SLUICE_SOURCE_STALL_TIME", int64(c.StallWindow)},
		{"SLUICE_SOURCE_STALL_RATE", c.StallRate},
		{"SLUICE_SOURCE_BYTES", c.Size},
		{"SLUICE_SOURCE_TEXT_BYTES", c.TextSize},
		{"SLUICE_SOURCE_RATIO", c.Ratio},
	}
	for _, limit := range positive {
		if limit.value <= 0 {
			return fmt.Errorf("%s must be positive, it is %d", limit.name, limit.value)
		}
	}
	if c.Redirects < 0 {
		return fmt.Errorf("SLUICE_SOURCE_REDIRECTS must not be negative, it is %d", c.Redirects)
	}
	if strings.ContainsFunc(c.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("user agent %q must be printable ASCII", c.UserAgent)
	}
	return nil
}

// formatBytes writes a size with the largest binary unit that divides it, so that limits read as they were set.
func formatBytes(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for n != 0 && n%1024 == 0 && unit < len(units)-1 {
		n /= 1024
		unit++
	}
	return fmt.Sprintf("%d %s", n, units[unit])
}
