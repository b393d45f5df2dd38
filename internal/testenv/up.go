package testenv

import (
	"regexp"
	"testing"
	"time"
)

// Up is a sluice up that is ready.
type Up struct {
	*Process
	API, Files, NATS, Monitor, Postgres string // where they are announced to be
}

// FreePorts are the flags of sluice up that let several run side by side.
func FreePorts() []string {
	const free = "127.0.0.1:0"
	return []string{"--api-addr", free, "--nats-addr", free, "--nats-monitor-addr", free, "--files-addr", free}
}

// StartUp starts the built sluice as sluice up, with its data in dir, and returns when it is ready. How long that takes is not what
// is tested.
func StartUp(t testing.TB, program, dir string, env []string, flags ...string) *Up {
	t.Helper()
	begun := time.Now()
	args := append([]string{"up", "--data-dir", dir}, FreePorts()...)
	u := &Up{Process: Run(t, program, env, append(args, flags...)...)}
	if err := u.Stdout.Await(Context(t), "Ctrl-C ends all of it", u.Ended); err != nil {
		t.Fatalf("waiting for sluice up: %v", err)
	}
	t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
	for word, address := range map[string]*string{
		"API": &u.API, "Files": &u.Files, "NATS": &u.NATS, "monitoring": &u.Monitor, "Postgres": &u.Postgres,
	} {
		found := regexp.MustCompile(`(?:^|\s)` + word + `\s+(\S+)`).FindStringSubmatch(u.Stdout.String())
		if found == nil {
			t.Fatalf("%s is not announced", word)
		}
		*address = found[1]
	}
	return u
}
