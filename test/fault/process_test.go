package fault

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

// endTime is how long a program may take to end in order. The promise is less; a busy machine is forgiven.
const endTime = 30 * time.Second

// process is a program that runs as a child.
type process struct {
	cmd   *exec.Cmd
	said  transcript.Transcript
	ended <-chan struct{}
}

// run runs a program; it is killed at the end of the test.
func run(t *testing.T, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.said, &p.said
	p.ended = testenv.Launch(t, p.cmd)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s %s (process %d) said\n%s", filepath.Base(program), strings.Join(args, " "), p.cmd.Process.Pid, p.lastWords())
		}
	})
	return p
}

// lastWords are the last lines that the process has said.
func (p *process) lastWords() string {
	lines := slices.Collect(strings.Lines(p.said.String()))
	return strings.Join(lines[max(0, len(lines)-60):], "")
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // fails only if it has ended

// kill ends the process where it stands.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// freeze stops the process until it is thawed.
func (p *process) freeze() { p.signal(syscall.SIGSTOP) }

func (p *process) thaw() { p.signal(syscall.SIGCONT) }

// stop ends the process in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(t); code != 0 {
		t.Errorf("%s ended with %d:\n%s", p.cmd.Path, code, p.lastWords())
	}
}

// wait returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(endTime):
		p.kill()
		t.Errorf("%s had not ended within %s", p.cmd.Path, endTime)
	}
	return p.cmd.ProcessState.ExitCode()
}

// await waits until the process has said a text.
func (p *process) await(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	if err := p.said.Await(ctx, text, p.ended); err != nil {
		t.Fatalf("%s does not say %q: %v\n%s", p.cmd.Path, text, err, p.lastWords())
	}
}
