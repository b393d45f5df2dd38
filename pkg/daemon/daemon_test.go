package daemon_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"sluice/pkg/daemon"
)

func TestFromEnvironment(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		addr string
		n    int
		bad  string // the variable that the error names
	}{
		{name: "defaults", addr: "a", n: 1},
		{name: "the environment over the defaults", env: map[string]string{"SLUICE_API_ADDR": "b", "SLUICE_SLOTS": "7"}, addr: "b", n: 7},
		{name: "a flag over the environment", args: []string{"--slots", "3"}, env: map[string]string{"SLUICE_SLOTS": "7"}, addr: "a", n: 3},
		{name: "an empty value is a value", env: map[string]string{"SLUICE_API_ADDR": ""}, addr: "", n: 1},
		{name: "a bad value", env: map[string]string{"SLUICE_SLOTS": "many"}, bad: "SLUICE_SLOTS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			addr := flags.String("api-addr", "a", "")
			n := flags.Int("slots", 1, "")
			if err := flags.Parse(tt.args); err != nil {
				t.Fatal(err)
			}
			err := daemon.FromEnvironment(flags, func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok })
			if (err != nil) != (tt.bad != "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
				t.Fatalf("error %v, want one that names %q", err, tt.bad)
			}
			if err == nil && (*addr != tt.addr || *n != tt.n) {
				t.Errorf("api-addr %q, slots %d", *addr, *n)
			}
		})
	}
}

func TestFlagError(t *testing.T) {
	for _, tt := range []struct{ arg, says string }{
		{"--slots=many", `--slots must be a whole number, not "many"`},
		{"--slots=1.5", `--slots must be a whole number, not "1.5"`},
		{"--bytes=99999999999999999999", `--bytes must be a number of at most 64 bits, not "99999999999999999999"`},
		{"--lease=10", `--lease must be a time such as 500ms, 10s or 2h, not "10"`},
		{"--keys=maybe", `--keys must be true or false, not "maybe"`},
		{"--slot=1", "unknown flag: --slot"},
	} {
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		flags.Int("slots", 1, "")
		flags.Int64("bytes", 1, "")
		flags.Duration("lease", 0, "")
		flags.Bool("keys", false, "")
		if err := daemon.FlagError(flags.Parse([]string{tt.arg})); err == nil || err.Error() != tt.says {
			t.Errorf("%s: %v, want %s", tt.arg, err, tt.says)
		}
	}
	if err := daemon.FlagError(nil); err != nil {
		t.Errorf("of no error it makes %v", err)
	}
}

func TestNewLogRefusesUnknownLevels(t *testing.T) {
	if _, err := daemon.NewLog(nil, "loud"); err == nil || !strings.Contains(err.Error(), "SLUICE_LOG_LEVEL") {
		t.Errorf("error %v, want one that names SLUICE_LOG_LEVEL", err)
	}
}
