package testenv

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/transcript"
)

// endTime is how long sluice may take to end: its services 3.5 s, its servers 5 s more.
const endTime = 9 * time.Second

// Process is a program that runs as a child, in a process group of its own.
type Process struct {
	Cmd            *exec.Cmd
	Stdout, Stderr transcript.Transcript
	Ended          <-chan struct{}
}

// Run runs a program, as [Launch] does, and ends it with the test.
func Run(t testing.TB, program string, env []string, args ...string) *Process {
	t.Helper()
	p := &Process{Cmd: exec.Command(program, args...)}
	p.Cmd.Env, p.Cmd.Stdout, p.Cmd.Stderr = env, &p.Stdout, &p.Stderr
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Ended = Launch(t, p.Cmd)
	t.Cleanup(func() {
		p.Signal(syscall.SIGTERM) // in order, so that its servers have ended before its directory is removed
		late := time.AfterFunc(endTime, func() { p.Signal(syscall.SIGKILL) })
		<-p.Ended
		late.Stop()
		if t.Failed() {
			t.Logf("%s %s said\n%s%s", filepath.Base(program), strings.Join(args, " "), p.Stdout.String(), p.Stderr.String())
		}
	})
	return p
}

// Signal sends a signal, which a process that has ended does not get.
func (p *Process) Signal(s syscall.Signal) { _ = p.Cmd.Process.Signal(s) }
