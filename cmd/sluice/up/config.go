package up

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"

	"sluice/services/api"
	"sluice/services/ingester"
	"sluice/services/ingester/source"
)

// Config says what runs where. Addresses are host:port; port 0 stands for a free one.
type Config struct {
	DataDir     string
	APIAddr     string
	NATSAddr    string
	MonitorAddr string
	FilesAddr   string
	FilesDir    string // empty: a folder of DataDir
	PostgresURL string // empty: a private Postgres
	ReaderURL   string // by which the API reads from PostgresURL; empty: by that, as a role that can only read
	PGBin       string // where the private Postgres's binaries lie; empty: found
	RequireKeys bool   // ask for API keys although the API's address is a loopback one
	WithoutKeys bool   // ask for none although it is not
	Ingesters   int
	Slots       int                     // jobs at once per ingester
	Sources     ingester.SourceSettings // this machine is open besides
	UploadBytes int64                   // how large a file may be that is uploaded
	SecretKey   string                  // empty: one that is kept with the data
	LogLevel    string
}

// DefaultConfig returns the settings of a run without flags.
func DefaultConfig() Config {
	return Config{
		DataDir:     dataHome(),
		APIAddr:     "127.0.0.1:3000",
		NATSAddr:    "127.0.0.1:4222",
		MonitorAddr: "127.0.0.1:8222",
		FilesAddr:   "127.0.0.1:8000",
		PostgresURL: os.Getenv("DATABASE_URL"),
		Ingesters:   1,
		Slots:       2,
		Sources:     ingester.DefaultSourceSettings(),
		UploadBytes: api.DefaultConfig().UploadBytes,
		SecretKey:   os.Getenv("SLUICE_SECRET_KEY"), // no flag: the command line can be seen by everyone
		LogLevel:    "warn",
	}
}

// Flags adds a flag for each setting.
func (c *Config) Flags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", c.DataDir, "where jobs, data and sample files are kept")
	f.StringVar(&c.APIAddr, "api-addr", c.APIAddr, "where the API listens; it asks for keys unless that is a loopback address")
	f.BoolVar(&c.RequireKeys, "require-keys", c.RequireKeys, "ask for keys on a loopback address, too")
	f.BoolVar(&c.WithoutKeys, "without-keys", c.WithoutKeys,
		"let whoever reaches the address use the API without a key, although it is not a loopback address")
	f.StringVar(&c.NATSAddr, "nats-addr", c.NATSAddr, "where NATS listens")
	f.StringVar(&c.MonitorAddr, "nats-monitor-addr", c.MonitorAddr, "where NATS's monitoring page listens")
	f.StringVar(&c.FilesAddr, "files-addr", c.FilesAddr, "where the server of sample files listens")
	f.StringVar(&c.FilesDir, "files-dir", c.FilesDir, "the folder that it serves (default: a folder of the data directory)")
	f.StringVar(&c.PostgresURL, "postgres-url", c.PostgresURL, "a Postgres to load into; DATABASE_URL serves too (default: a private one)")
	f.Lookup("postgres-url").DefValue = "" // DATABASE_URL may hold a password, which help must not show
	f.StringVar(&c.ReaderURL, "reader-url", c.ReaderURL,
		"the same Postgres by a role that can only read, for the API (default: role sluice_reader, which is made)")
	f.StringVar(&c.PGBin, "pgbin", c.PGBin, "where the private Postgres's binaries lie (default: searched for)")
	f.IntVar(&c.Ingesters, "ingesters", c.Ingesters, "how many ingesters run in this process")
	f.IntVar(&c.Slots, "slots", c.Slots, "how many jobs an ingester works on at once")
	c.Sources.Flags(f)
	f.Lookup("source-allow").Usage = "what may be loaded from besides public addresses and this machine: CIDR, host or host:port"
	f.Int64Var(&c.UploadBytes, "upload-bytes", c.UploadBytes, "how many bytes a file may have that is uploaded")
	f.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
}

// Validate names every setting at fault.
func (c *Config) Validate() error {
	var bad []error
	taken := map[string]string{} // flags by address
	for _, a := range []struct{ flag, addr string }{
		{"api-addr", c.APIAddr}, {"nats-addr", c.NATSAddr}, {"nats-monitor-addr", c.MonitorAddr}, {"files-addr", c.FilesAddr},
	} {
		host, port, err := net.SplitHostPort(a.addr)
		switch other := taken[a.addr]; {
		case err != nil || host == "":
			bad = append(bad, fmt.Errorf("--%s must be host:port, not %q", a.flag, a.addr))
		case other != "" && port != "0":
			bad = append(bad, fmt.Errorf("--%s must not be %s, which is --%s", a.flag, a.addr, other))
		}
		taken[a.addr] = a.flag
	}
	for _, a := range []struct{ flag, addr string }{
		{"nats-addr", c.NATSAddr}, {"nats-monitor-addr", c.MonitorAddr},
	} {
		if host, _, err := net.SplitHostPort(a.addr); err == nil && host != "" && !api.Loopback(a.addr) {
			bad = append(bad, fmt.Errorf("--%s must be a loopback address, not %s: nobody is asked for a password there", a.flag, host))
		}
	}
	if _, err := c.asksForKeys(); err != nil {
		bad = append(bad, err)
	}
	if _, err := c.opener(nil); err != nil {
		bad = append(bad, err)
	}
	if c.DataDir == "" {
		bad = append(bad, errors.New("--data-dir must name a folder"))
	}
	if c.Ingesters < 0 || c.Ingesters > 64 {
		bad = append(bad, errors.New("--ingesters must be 0 to 64"))
	}
	if c.Slots < 1 || c.Slots > 64 {
		bad = append(bad, errors.New("--slots must be 1 to 64"))
	}
	if c.UploadBytes < 1 {
		bad = append(bad, errors.New("--upload-bytes must be at least 1"))
	}
	return errors.Join(bad...)
}

// asksForKeys reports whether the API asks for keys.
func (c *Config) asksForKeys() (bool, error) {
	return api.AsksForKeys(c.APIAddr, c.RequireKeys, c.WithoutKeys)
}

// ownFiles is the folder of files that is made when none is named.
func (c *Config) ownFiles() string { return filepath.Join(c.DataDir, "files") }

// opener opens files from where they may come from.
func (c *Config) opener(uploads source.Uploads) (*source.Opener, error) {
	sources := c.Sources
	sources.Allow = append([]string{"127.0.0.0/8", "::1/128"}, sources.Allow...)
	return sources.Opener(uploads)
}

// dataHome is the user's folder for data: XDG_DATA_HOME (XDG Base Directory Specification) or what stands for it.
func dataHome() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "sluice")
	}
	home, err := os.UserHomeDir()
	switch {
	case err != nil:
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support", "sluice")
	}
	return filepath.Join(home, ".local", "share", "sluice")
}
