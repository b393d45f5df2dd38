package e2e

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// refusesToStart runs sluice up and checks that it ends with 1 and a line that says all of the texts.
func refusesToStart(t *testing.T, env, flags []string, texts ...string) string {
	t.Helper()
	return endsWith(t, 1, env, flags, texts...)
}

// endsWith is refusesToStart for an exit code.
func endsWith(t *testing.T, want int, env, flags []string, texts ...string) string {
	t.Helper()
	p := launch(t, env, append([]string{"up"}, flags...)...)
	if code := p.wait(t, startTime); code != want {
		t.Errorf("sluice ended with %d, want %d", code, want)
	}
	said := p.Stderr.String()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("it does not say %q: %s", text, said)
		}
	}
	if strings.Contains(said, "goroutine") || strings.Contains(p.Stdout.String(), "READY") {
		t.Errorf("it said %s%s", p.Stdout.String(), said)
	}
	return said
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, flag := range []string{"--api-addr", "--nats-addr", "--nats-monitor-addr", "--files-addr"} {
		t.Run(flag, func(t *testing.T) {
			flags := append([]string{"--data-dir", testenv.Dir(t)}, testenv.FreePorts()...)
			refusesToStart(t, nil, append(flags, flag, l.Addr().String()), l.Addr().String(), flag, "in use")
		})
	}
}

func TestDataDirectoryInUse(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	refusesToStart(t, nil, append(testenv.FreePorts(), "--data-dir", i.dir), i.dir, strconv.Itoa(i.pid()), "--data-dir")
	if err := i.reachable(t); err != nil {
		t.Errorf("the first one is disturbed: %v", err)
	}
}

func TestNoPostgres(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	env := []string{"PATH=" + empty, "SLUICE_PGBIN=" + empty}
	refusesToStart(t, env, append(testenv.FreePorts(), "--data-dir", testenv.Dir(t)), "no PostgreSQL", "apt-get install", "SLUICE_PGBIN", "--postgres-url")
}

func TestDataOfAnotherPostgres(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	data := filepath.Join(dir, "postgres", "pgdata")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, nil, append(testenv.FreePorts(), "--data-dir", dir), data, "PostgreSQL 9", "SLUICE_PGBIN")
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env, flags []string
		says       []string
	}{
		"address":          {nil, []string{"--api-addr", "3000"}, []string{"--api-addr", "3000"}},
		"address, no host": {nil, []string{"--files-addr", ":8000"}, []string{"--files-addr"}},
		"address, no port": {nil, []string{"--api-addr", "127.0.0.1:99999"}, []string{"--api-addr", "99999"}},
		"NATS, no number":  {nil, []string{"--nats-addr", "127.0.0.1:http"}, []string{"--nats-addr"}},
		"address, twice":   {nil, []string{"--nats-addr", "127.0.0.1:9", "--nats-monitor-addr", "127.0.0.1:9"}, []string{"--nats-addr", "--nats-monitor-addr"}},
		"slots":            {nil, []string{"--slots", "0"}, []string{"--slots"}},
		"several":          {nil, []string{"--slots", "0", "--ingesters", "-1", "--nats-addr", "x"}, []string{"--slots", "--ingesters", "--nats-addr"}},
		"not a number":     {nil, []string{"--ingesters", "many"}, []string{"--ingesters", "many"}},
		"variable":         {[]string{"SLUICE_SLOTS=many"}, nil, []string{"SLUICE_SLOTS", "many"}},
		"log level":        {[]string{"SLUICE_LOG_LEVEL=loud"}, nil, []string{"SLUICE_LOG_LEVEL", "loud"}},
		"data directory":   {nil, []string{"--data-dir", ""}, []string{"--data-dir"}},
		"source-allow":     {nil, []string{"--source-allow", "http://x/"}, []string{"--source-allow", "http://x/"}},
		"unknown flag":     {nil, []string{"--slot", "1"}, []string{"--slot"}},
		"argument":         {nil, []string{"now"}, []string{"now"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags := append([]string{"--data-dir", testenv.Dir(t)}, testenv.FreePorts()...)
			want := 1
			if slices.Contains([]string{"not a number", "unknown flag", "argument"}, name) {
				want = 2 // wrong usage
			}
			endsWith(t, want, tt.env, append(flags, tt.flags...), tt.says...)
		})
	}
}
