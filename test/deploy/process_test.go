package deploy

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

// endTime is how long a process may take to end. The promise is less; a busy machine is forgiven.
const endTime = 20 * time.Second

// process is a program that runs as a child.
type process struct {
	cmd   *exec.Cmd
	said  transcript.Transcript
	ended <-chan struct{}
}

// run runs a program that is ended with the test.
func run(t testing.TB, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.said, &p.said
	p.ended = testenv.Launch(t, p.cmd)
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s %s said\n%s", program, strings.Join(args, " "), p.said.String())
		}
	})
	return p
}

// stop ends the process in order, if it has not ended, and returns its exit code.
func (p *process) stop(t testing.TB) int {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	return p.wait(t)
}

func (p *process) wait(t testing.TB) int {
	t.Helper()
	late := time.NewTimer(endTime)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
		t.Errorf("%s has not ended within %s", p.cmd.Path, endTime)
	}
	return p.cmd.ProcessState.ExitCode()
}
