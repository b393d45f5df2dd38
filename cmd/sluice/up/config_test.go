package up

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"sluice/pkg/daemon"
	"sluice/services/ingester"
	"sluice/services/ingester/csv"
	"sluice/services/ingester/source"
)

func TestDefaultsAreValid(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	c := DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateNamesEachFault(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for name, tt := range map[string]struct {
		spoil func(*Config)
		flags string // that the error names
	}{
		"no port":         {func(c *Config) { c.APIAddr = "127.0.0.1" }, "--api-addr"},
		"no host":         {func(c *Config) { c.NATSAddr = ":4222" }, "--nats-addr"},
		"empty":           {func(c *Config) { c.MonitorAddr = "" }, "--nats-monitor-addr"},
		"too many colons": {func(c *Config) { c.FilesAddr = "::1:8000" }, "--files-addr"},
		"one for two":     {func(c *Config) { c.MonitorAddr = c.NATSAddr }, "--nats-monitor-addr --nats-addr"},
		"NATS for all":    {func(c *Config) { c.NATSAddr, c.MonitorAddr = "0.0.0.0:4222", "0.0.0.0:8222" }, "--nats-addr --nats-monitor-addr"},
		"keys and none":   {func(c *Config) { c.RequireKeys, c.WithoutKeys = true, true }, "--require-keys --without-keys"},
		"no directory":    {func(c *Config) { c.DataDir = "" }, "--data-dir"},
		"ingesters":       {func(c *Config) { c.Ingesters = -1 }, "--ingesters"},
		"many ingesters":  {func(c *Config) { c.Ingesters = 65 }, "--ingesters"},
		"slots":           {func(c *Config) { c.Slots = 0 }, "--slots"},
		"many slots":      {func(c *Config) { c.Slots = 65 }, "--slots"},
		"no uploads":      {func(c *Config) { c.UploadBytes = 0 }, "--upload-bytes"},
		"allowed":         {func(c *Config) { c.Sources.Allow = []string{"http://x/"} }, "SLUICE_SOURCE_ALLOW --source-allow"},
		"folders":         {func(c *Config) { c.Sources.Folders = []string{"in"} }, "SLUICE_SOURCE_FOLDERS --source-folders"},
		"ratio":           {func(c *Config) { c.Sources.Limits.Ratio = 0 }, "SLUICE_SOURCE_RATIO"},
		"job time":        {func(c *Config) { c.Sources.JobTime = 0 }, "--job-time"},
		"several":         {func(c *Config) { c.Slots, c.FilesAddr, c.DataDir = 0, "x", "" }, "--slots --files-addr --data-dir"},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			tt.spoil(&c)
			err := c.Validate()
			if err == nil {
				t.Fatal("it is valid")
			}
			for flag := range strings.FieldsSeq(tt.flags) {
				if !strings.Contains(err.Error(), flag) {
					t.Errorf("error %v does not name %s", err, flag)
				}
			}
		})
	}
}

func TestAllowedSettings(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for name, set := range map[string]func(*Config){
		"free ports": func(c *Config) {
			c.APIAddr, c.NATSAddr, c.MonitorAddr, c.FilesAddr = "[::1]:0", "[::1]:0", "[::1]:0", "[::1]:0"
		},
		"no ingesters":   func(c *Config) { c.Ingesters = 0 },
		"an API for all": func(c *Config) { c.APIAddr = "0.0.0.0:3000" },
		"files for all":  func(c *Config) { c.FilesAddr = "0.0.0.0:8000" },
		"one port twice": func(c *Config) { c.APIAddr, c.FilesAddr = "127.0.0.1:3000", "127.0.0.2:3000" },
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			set(&c)
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEverySettingHasAVariable sets each flag by its variable.
func TestEverySettingHasAVariable(t *testing.T) {
	c := DefaultConfig()
	flags := pflag.NewFlagSet("up", pflag.ContinueOnError)
	c.Flags(flags)
	env := map[string]string{
		"SLUICE_DATA_DIR": "/d", "SLUICE_API_ADDR": "a:1", "SLUICE_NATS_ADDR": "a:2", "SLUICE_NATS_MONITOR_ADDR": "a:3",
		"SLUICE_FILES_ADDR": "a:4", "SLUICE_FILES_DIR": "/f", "SLUICE_POSTGRES_URL": "postgres://db", "SLUICE_PGBIN": "/b", "SLUICE_READER_URL": "postgres://reader",
		"SLUICE_INGESTERS": "3", "SLUICE_SLOTS": "4", "SLUICE_SOURCE_ALLOW": "10.0.0.0/8,files:80", "SLUICE_LOG_LEVEL": "debug",
		"SLUICE_UPLOAD_BYTES": "5", "SLUICE_REQUIRE_KEYS": "true", "SLUICE_WITHOUT_KEYS": "true",
		"SLUICE_SOURCE_FOLDERS": "/in,/other", "SLUICE_SOURCE_BYTES": "1", "SLUICE_SOURCE_TEXT_BYTES": "2", "SLUICE_SOURCE_RATIO": "3",
		"SLUICE_SOURCE_REDIRECTS": "4", "SLUICE_SOURCE_CONNECT_TIME": "5s", "SLUICE_SOURCE_HEADER_TIME": "6s", "SLUICE_SOURCE_HEADER_BYTES": "7",
		"SLUICE_SOURCE_STALL_TIME": "8s", "SLUICE_SOURCE_STALL_RATE": "9", "SLUICE_FIELD_BYTES": "10", "SLUICE_ROW_BYTES": "11", "SLUICE_JOB_TIME": "12h",
	}
	asked := map[string]bool{}
	err := daemon.FromEnvironment(flags, func(name string) (string, bool) {
		asked[name] = true
		value, ok := env[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range asked {
		if _, ok := env[name]; !ok {
			t.Errorf("%s is not tried here", name)
		}
	}
	want := Config{
		DataDir: "/d", APIAddr: "a:1", NATSAddr: "a:2", MonitorAddr: "a:3", FilesAddr: "a:4", FilesDir: "/f",
		PostgresURL: "postgres://db", ReaderURL: "postgres://reader", PGBin: "/b", Ingesters: 3, Slots: 4, LogLevel: "debug",
		Sources: ingester.SourceSettings{
			Allow: []string{"10.0.0.0/8", "files:80"}, Folders: []string{"/in", "/other"},
			Limits: source.Limits{
				Size: 1, TextSize: 2, Ratio: 3, Redirects: 4, Connect: 5 * time.Second, Header: 6 * time.Second, HeaderBytes: 7,
				StallWindow: 8 * time.Second, StallRate: 9,
			},
			CSV: csv.Limits{Field: 10, Row: 11, Columns: 1600}, JobTime: 12 * time.Hour,
		},
		UploadBytes: 5, RequireKeys: true, WithoutKeys: true,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("the settings are %+v, want %+v", c, want)
	}
}

func TestDatabaseURL(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://me:hush@db/x")
	c := DefaultConfig()
	if c.PostgresURL != "postgres://me:hush@db/x" {
		t.Errorf("Postgres is %s", c.PostgresURL)
	}
	flags := pflag.NewFlagSet("up", pflag.ContinueOnError)
	c.Flags(flags)
	if help := flags.FlagUsages(); strings.Contains(help, "hush") {
		t.Errorf("help tells the password:\n%s", help)
	}
	if err := flags.Parse([]string{"--postgres-url", "postgres://other"}); err != nil || c.PostgresURL != "postgres://other" {
		t.Errorf("Postgres is %s (%v)", c.PostgresURL, err)
	}
}

func TestDataHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "relative") // to be ignored, says the specification
	if dir := dataHome(); !strings.HasPrefix(dir, home) || filepath.Base(dir) != "sluice" {
		t.Errorf("at home it is %s", dir)
	}
	t.Setenv("XDG_DATA_HOME", "/data")
	if dir := dataHome(); dir != "/data/sluice" {
		t.Errorf("with XDG_DATA_HOME it is %s", dir)
	}
}
