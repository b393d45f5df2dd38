package cli

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

// onTerminal uses the command on a terminal.
func (s site) onTerminal(t *testing.T) {
	t.Run("a bar", s.bar)
	t.Run("Ctrl-C", s.interrupt)
	t.Run("a question", s.question)
	t.Run("standard input", s.typed)
	t.Run("waiting", s.waiting)
}

// terminal is a sluice on a terminal of its own.
type terminal struct {
	cmd   *exec.Cmd
	keys  io.Writer
	seen  transcript.Transcript
	ended chan struct{}
	err   error // once it has ended
}

func (s site) terminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	c := &terminal{cmd: exec.CommandContext(t.Context(), filepath.Join(bin, "sluice"), args...), ended: make(chan struct{})}
	c.cmd.Env = append(s.environment(), "TERM=xterm")
	file, err := pty.StartWithSize(c.cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatalf("starting on a terminal: %v", err)
	}
	c.keys = file
	go func() {
		_, _ = io.Copy(&c.seen, file) // to its end, which is an error on Linux
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
		_ = file.Close()
		if t.Failed() {
			t.Logf("on the terminal was %q", c.seen.String())
		}
	})
	return c
}

// end returns the exit code.
func (c *terminal) end(t *testing.T) int {
	t.Helper()
	select {
	case <-c.ended:
	case <-testenv.Context(t).Done():
		t.Fatal("it does not end")
	}
	e, failed := errors.AsType[*exec.ExitError](c.err)
	switch {
	case failed:
		return e.ExitCode()
	case c.err != nil:
		t.Fatal(c.err)
	}
	return 0
}

func (c *terminal) await(t *testing.T, text string) {
	t.Helper()
	if err := c.seen.Await(testenv.Context(t), text, c.ended); err != nil {
		t.Fatalf("waiting for %q: %v", text, err)
	}
}

func (s site) bar(t *testing.T) {
	c := s.terminal(t, "submit", s.web.URL+"/large.csv", "--table", "barred", "--watch")
	if code := c.end(t); code != 0 {
		t.Fatalf("it ended with %d", code)
	}
	seen := c.seen.String()
	if !regexp.MustCompile(`\rsucceeded +\[=+\]  100\.0%  \S+ MB of \S+ MB  200,000 rows\x1b\[K\r\n`).MatchString(seen) {
		t.Error("the last bar is not full")
	}
	if bars := strings.Count(seen, "\r") - strings.Count(seen, "\r\n"); bars < 2 {
		t.Errorf("the bar was drawn %d times", bars)
	}
	if !strings.HasSuffix(strings.TrimSpace(seen), regexp.MustCompile(`job \S+ succeeded: 200,000 rows into public.barred in \S+$`).FindString(strings.TrimSpace(seen))) {
		t.Error("the last line does not say how it has ended")
	}
}

func (s site) interrupt(t *testing.T) {
	c := s.terminal(t, "submit", s.web.URL+"/slow.csv", "--table", "interrupted", "--watch")
	c.await(t, "loading")
	c.interrupted(t)
	said := regexp.MustCompile(`no longer watching; the job goes on: sluice watch (\S+) watches it again, sluice cancel (\S+) ends it`).
		FindStringSubmatch(c.seen.String())
	if said == nil || said[1] != said[2] {
		t.Fatalf("it said %v", said)
	}
	cancelled := s.terminal(t, "cancel", said[1])
	if code := cancelled.end(t); code != 0 || !strings.Contains(cancelled.seen.String(), said[1]+" cancel") {
		t.Errorf("cancelling ended with %d", code)
	}
}

// question is asked before a table is dropped.
func (s site) question(t *testing.T) {
	c := s.terminal(t, "drop", "barred")
	c.await(t, "Drop table public.barred with all its rows? [y/N] ")
	if _, err := io.WriteString(c.keys, "n\r"); err != nil {
		t.Fatal(err)
	}
	if code := c.end(t); code != 1 || !strings.Contains(c.seen.String(), "nothing was dropped") {
		t.Errorf("answered no it ended with %d", code)
	}
}

// interrupted presses Ctrl-C, once, and holds that it ends soon.
func (c *terminal) interrupted(t *testing.T) {
	t.Helper()
	begun := time.Now()
	if _, err := io.WriteString(c.keys, "\x03"); err != nil {
		t.Fatal(err)
	}
	if code := c.end(t); code != 130 {
		t.Errorf("it ended with %d", code)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s to end", took)
	}
}

// typed loads what is typed, until Ctrl-D.
func (s site) typed(t *testing.T) {
	uploading := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/uploads" {
			close(uploading)
			_, _ = io.Copy(io.Discard, r.Body) // to its end, which is that of the command
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"title":"There is no such upload","code":"upload_not_found"}`)
	}))
	defer api.Close()
	c := s.terminal(t, "submit", "-", "--url", api.URL)
	select {
	case <-uploading:
	case <-testenv.Context(t).Done():
		t.Fatal("nothing is uploaded")
	}
	c.interrupted(t)

	c = s.terminal(t, "submit", "-", "--table", "typed", "--watch")
	c.await(t, "reading from the terminal; Ctrl-D on a new line ends it")
	if _, err := io.WriteString(c.keys, "a,b\r1,2\r\x04"); err != nil {
		t.Fatal(err)
	}
	if code := c.end(t); code != 0 || !strings.Contains(c.seen.String(), "1 row into public.typed") {
		t.Errorf("it ended with %d", code)
	}
}

// waiting waits as long as an API says that has too much to do.
func (s site) waiting(t *testing.T) {
	const busy = `{"title":"The key has been used too often","status":429,"code":"rate_limited"}`
	s.web.On("/v1/jobs", testenv.Answer{
		testenv.Head(429, "Content-Type: application/problem+json", "Retry-After: 30"), testenv.Send(busy),
	})
	c := s.terminal(t, "ls", "--url", s.web.URL)
	c.await(t, "sluice: waiting up to 30s: The key has been used too often [rate_limited]")
	c.interrupted(t)
}
