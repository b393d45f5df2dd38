package e2e

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// TestOtherPostgres loads into a Postgres that is not sluice's own, named by flag and by variable.
func TestOtherPostgres(t *testing.T) {
	t.Parallel()
	ctx := testenv.Context(t)
	server, err := localpg.Start(ctx, localpg.Config{Dir: filepath.Join(testenv.Dir(t), "other"), Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.WithoutCancel(ctx)) })
	address := server.URL("postgres")
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := parsed.User.Password()
	files := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n"})
	for name, tt := range map[string]struct{ env, flags []string }{
		"flag":     {nil, []string{"--postgres-url", address}},
		"variable": {[]string{"DATABASE_URL=" + address}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			i := upWith(t, tt.env, testenv.Dir(t), append(tt.flags, "--log-level", "debug")...)
			i.load(t, files+"/a.csv", name)
			if all := tables(t, connect(t, address)); !strings.Contains(strings.Join(all, " "), name) {
				t.Errorf("the tables there are %v", all)
			}
			if own := descendants(t, i.pid()); len(own) > 0 {
				t.Errorf("it has started %v all the same", own)
			}
			i.stop(t)
			expectUntold(t, i.process, password)
			connect(t, address)
		})
	}
	t.Run("help", func(t *testing.T) {
		p := launch(t, []string{"DATABASE_URL=" + address}, "up", "--help")
		p.wait(t, startTime)
		expectUntold(t, p, password)
	})
}

// TestUselessPostgres holds that a database that cannot be used is named, and its password is not.
func TestUselessPostgres(t *testing.T) {
	t.Parallel()
	nobody := deadAddress(t)
	for name, tt := range map[string]struct {
		address string
		says    []string
	}{
		"nobody there":  {"postgres://me:hush@" + nobody + "/db", []string{"postgres://me:xxxxx@" + nobody + "/db", "connection refused"}},
		"in words":      {"host=127.0.0.1 port=1 user=me password=hush dbname=db", []string{"127.0.0.1:1", "connection refused"}},
		"bad port":      {"postgres://me:hush@localhost:port/db", []string{"port"}},
		"bad escape":    {"postgres://me:hush@localhost/%zz", []string{"Postgres"}},
		"unknown words": {"me:hush@localhost", []string{"Postgres"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags := append(testenv.FreePorts(), "--data-dir", testenv.Dir(t), "--postgres-url", tt.address)
			if said := refusesToStart(t, nil, flags, tt.says...); strings.Contains(said, "hush") {
				t.Errorf("the password is told: %s", said)
			}
		})
	}
}

func expectUntold(t testing.TB, p *process, secret string) {
	t.Helper()
	if strings.Contains(p.Stdout.String()+p.Stderr.String(), secret) {
		t.Errorf("%s is told", secret)
	}
}
