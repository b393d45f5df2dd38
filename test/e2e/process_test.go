package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

// endTime is how long sluice may take to end: its services 3.5 s, its servers 5 s more.
const endTime = 9 * time.Second

// process is a sluice that runs as a child, in a process group of its own.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr transcript.Transcript
	ended          <-chan struct{}
}

// launch runs sluice as run does.
func launch(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return run(t, command, env, args...)
}

// run runs a program that is ended with the test.
func run(t testing.TB, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.ended = testenv.Launch(t, p.cmd)
	t.Cleanup(func() {
		p.signal(syscall.SIGTERM) // in order, so that its servers have ended before its directory is removed
		late := time.AfterFunc(endTime, p.kill)
		<-p.ended
		late.Stop()
		if t.Failed() {
			t.Logf("%s %s said\n%s%s", filepath.Base(program), strings.Join(args, " "), p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // fails only if it has ended

// interrupt does what Ctrl-C does in a terminal: every process of the group is told.
func (p *process) interrupt() { _ = syscall.Kill(-p.pid(), syscall.SIGINT) }

func (p *process) kill() { p.signal(syscall.SIGKILL) }

// wait returns the exit code, -1 after a signal, and fails the test if the process does not end in time.
func (p *process) wait(t testing.TB, within time.Duration) int {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		t.Fatalf("sluice has not ended within %s", within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends sluice in order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(t, endTime); code != 0 {
		t.Errorf("sluice ended with %d", code)
	}
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
