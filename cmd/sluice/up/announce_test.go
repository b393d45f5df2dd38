package up

import (
	"errors"
	"strings"
	"testing"
)

func TestAnnouncement(t *testing.T) {
	a := announcement{
		api: "127.0.0.1:3000", files: "127.0.0.1:8000", nats: "nats://127.0.0.1:4222", monitor: "127.0.0.1:8222",
		postgres: "postgres://sluice:pw@127.0.0.1:5432/postgres", dataDir: "/data", filesDir: "/data/files", sample: true,
		command: "sluice",
	}
	const want = `Sluice is running.

  API       http://127.0.0.1:3000
  Files     http://127.0.0.1:8000  from /data/files
  NATS      nats://127.0.0.1:4222  monitoring http://127.0.0.1:8222
  Postgres  postgres://sluice:pw@127.0.0.1:5432/postgres
  Data      /data

READY

Load the sample file, from another terminal:

  curl -d "fileUrl=http://localhost:8000/tripsdata.csv" -X POST localhost:3000/download_file
  sluice submit http://localhost:8000/tripsdata.csv --watch

Ctrl-C ends all of it; jobs and data are kept.
`
	var text strings.Builder
	if err := a.write(&text); err != nil || text.String() != want {
		t.Errorf("it says (%v)\n%s", err, text.String())
	}
	a.sample = false
	text.Reset()
	if err := a.write(&text); err != nil || strings.Contains(text.String(), "curl") || !strings.Contains(text.String(), "\nREADY\n") {
		t.Errorf("without a sample it says (%v)\n%s", err, text.String())
	}
	a.sample, a.keys = true, true
	text.Reset()
	if err := a.write(&text); err != nil {
		t.Error(err)
	}
	for _, part := range []string{
		"API       http://127.0.0.1:3000  asks for keys\n",
		"export SLUICE_API_KEY=$(sluice admin keys create --nats-url nats://127.0.0.1:4222 --name me --scopes read,write)\n",
		`curl -H "Authorization: Bearer $SLUICE_API_KEY" -d "fileUrl=http://localhost:8000/tripsdata.csv"`,
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("with keys it does not say %s\n%s", part, text.String())
		}
	}
	a.api, a.keys = "0.0.0.0:3000", false
	text.Reset()
	if err := a.write(&text); err != nil || !strings.Contains(text.String(), "http://0.0.0.0:3000  asks nobody for a key\n") ||
		!strings.Contains(text.String(), "sluice submit --url http://localhost:3000 http://localhost:8000/tripsdata.csv --watch\n") {
		t.Errorf("without keys it says (%v)\n%s", err, text.String())
	}
	if err := a.write(closed{}); err == nil {
		t.Error("that nobody hears it is no error")
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestCalledAs(t *testing.T) {
	for name, want := range map[string]string{
		"sluice": "sluice", "bin/sluice": "bin/sluice", "/tmp/go-build1234/b001/exe/sluice": "go run ./cmd/sluice",
	} {
		if got := calledAs(name); got != want {
			t.Errorf("%s is called as %s, want %s", name, got, want)
		}
	}
}

func TestNearby(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:3000":   "localhost:3000",
		"[::]:3000":        "localhost:3000",
		"0.0.0.0:3000":     "localhost:3000",
		"[::1]:3000":       "[::1]:3000",
		"127.0.0.2:3000":   "127.0.0.2:3000",
		"192.168.1.1:3000": "192.168.1.1:3000",
		"box.lan:3000":     "box.lan:3000",
	} {
		if got := nearby(addr); got != want {
			t.Errorf("%s is typed as %s, want %s", addr, got, want)
		}
	}
}

func TestRedacted(t *testing.T) {
	for raw, want := range map[string]string{
		"postgres://me@db/x":                           "postgres://me@db/x",
		"postgres://me:hush@db:5432/x?sslmode=disable": "postgres://me:xxxxx@db:5432/x?sslmode=disable",
		"postgresql://me:hush@db/x":                    "postgresql://me:xxxxx@db/x",
		"postgres:///x?host=/run&password=hush":        "postgres:///x?host=%2Frun&password=xxxxx",
		"postgres://db/x?sslpassword=hush&user=me":     "postgres://db/x?sslpassword=xxxxx&user=me",
		"postgres://me:hush@a:1,b:2/x":                 "postgres://me:xxxxx@a:1,b:2/x",
		"postgres://me:hu%zzsh@db/x":                   "(as given)",
		"host=db user=me password=hush":                "(as given)",
		"me:hush@db":                                   "(as given)",
		"":                                             "(as given)",
	} {
		if got := redacted(raw); got != want {
			t.Errorf("%s is shown as %s, want %s", raw, got, want)
		}
	}
}
