// Package cli tests the sluice command as people and scripts use it: the built program, against a running sluice up.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

// bin is the folder that holds the built command.
var bin string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	root, err := testenv.Root()
	if err != nil {
		return 0, err
	}
	bin, err = os.MkdirTemp("", "sluice-test-bin-")
	if err != nil {
		return 0, fmt.Errorf("making a place for the command: %w", err)
	}
	defer func() { _ = os.RemoveAll(bin) }()
	build := exec.Command("go", "build", "-o", bin, "./cmd/sluice")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the command: %w\n%s", err, output)
	}
	return m.Run(), nil
}

// TestCommand uses the command on one sluice up.
func TestCommand(t *testing.T) {
	s := start(t, "--slots", "16")
	t.Run("scripts", func(t *testing.T) { s.scripts(t, "testdata/script") })
	t.Run("terminal", s.onTerminal)
	t.Run("documentation", s.documentation)
}

// TestKeys uses the command on one that asks for keys.
func TestKeys(t *testing.T) {
	start(t, "--require-keys").scripts(t, "testdata/keys")
}

const (
	// startTime is how long sluice up may take until it is ready, on a busy machine.
	startTime = 30 * time.Second
	// endTime is how long it may take to end.
	endTime = 9 * time.Second
)

// site is a sluice up that is ready, and a web server of files to load.
type site struct {
	api, files, nats, postgres string // where they are
	web                        *testenv.Web
	dir                        string // of its data
}

// start starts sluice up for a test, with these flags besides.
func start(t *testing.T, flags ...string) site {
	t.Helper()
	const free = "127.0.0.1:0"
	s := site{dir: testenv.Dir(t), web: testenv.StartWeb(t)}
	args := []string{"up", "--data-dir", s.dir, "--api-addr", free, "--nats-addr", free, "--nats-monitor-addr", free, "--files-addr", free}
	cmd := exec.Command(filepath.Join(bin, "sluice"), append(args, flags...)...)
	var stdout, stderr transcript.Transcript
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ended := testenv.Launch(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // in order, so that its servers have ended before its directory is removed
		late := time.AfterFunc(endTime, func() { _ = cmd.Process.Kill() })
		<-ended
		late.Stop()
		if t.Failed() {
			t.Logf("sluice up said\n%s%s", stdout.String(), stderr.String())
		}
	})
	ctx, cancel := context.WithTimeoutCause(testenv.Context(t), startTime, errors.New("it takes too long"))
	defer cancel()
	if err := stdout.Await(ctx, "Ctrl-C ends all of it", ended); err != nil {
		t.Fatalf("waiting for sluice up: %v", err)
	}
	for word, address := range map[string]*string{"API": &s.api, "Files": &s.files, "NATS": &s.nats, "Postgres": &s.postgres} {
		found := regexp.MustCompile(`(?m)^\s+` + word + `\s+(\S+)`).FindStringSubmatch(stdout.String())
		if found == nil {
			t.Fatalf("%s is not announced", word)
		}
		*address = found[1]
	}
	s.serve()
	return s
}

// serve says which files there are to load.
func (s site) serve() {
	const csv = "Content-Type: text/csv"
	s.web.On("/people.csv", testenv.File("id,name,born\n1,Ada,1815-12-10\n2,\"Grace, Rear Admiral\",1906-12-09\n3,,\n", csv))
	s.web.On("/bad.csv", testenv.File("a,b\n1,2\n3,4,5\n6,\"7\n", csv))
	s.web.On("/page.html", testenv.File("<!DOCTYPE html><html><body>Please log in</body></html>", "Content-Type: text/html"))
	s.web.On("/slow.csv", testenv.Answer{testenv.Head(200, csv), testenv.Send("n,text\n"), testenv.Trickle("1,abc\n", 50*time.Millisecond)})
	s.web.On("/large.csv", testenv.File("n,text\n"+strings.Repeat("1234,some text that takes room\n", 200_000), csv))
}

// environment is what a script or a program is given.
func (s site) environment() []string {
	return []string{
		"SLUICE_URL=" + s.api, "SLUICE_NATS_URL=" + s.nats, "SLUICE_POSTGRES_URL=" + s.postgres, "SLUICE_DATA_DIR=" + s.dir,
		"WEB=" + s.web.URL, "FILES=" + s.files,
	}
}
