package e2e

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// endTime is how long sluice may take to end: its services 3.5 s, its servers 5 s more.
const endTime = 9 * time.Second

// process is a program that runs as a child.
type process struct{ *testenv.Process }

// launch runs sluice as run does.
func launch(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return run(t, command, env, args...)
}

// run runs a program that is ended with the test.
func run(t testing.TB, program string, env []string, args ...string) *process {
	t.Helper()
	return &process{testenv.Run(t, program, env, args...)}
}

func (p *process) pid() int { return p.Cmd.Process.Pid }

// interrupt does what Ctrl-C does in a terminal: every process of the group is told.
func (p *process) interrupt() { _ = syscall.Kill(-p.pid(), syscall.SIGINT) }

func (p *process) kill() { p.Signal(syscall.SIGKILL) }

// wait returns the exit code, -1 after a signal, and fails the test if the process does not end in time.
func (p *process) wait(t testing.TB, within time.Duration) int {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.Ended:
	case <-late.C:
		t.Fatalf("sluice has not ended within %s", within)
	}
	return p.Cmd.ProcessState.ExitCode()
}

// stop ends sluice in order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.Signal(syscall.SIGTERM)
	if code := p.wait(t, endTime); code != 0 {
		t.Errorf("sluice ended with %d", code)
	}
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
