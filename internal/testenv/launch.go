package testenv

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// Launch starts a program with nothing of the caller's environment but what every program needs, and what the command
// has as its own. It is killed with the test's process. The channel is closed when it has ended.
func Launch(t testing.TB, cmd *exec.Cmd) (ended <-chan struct{}) {
	t.Helper()
	var env []string
	for _, name := range []string{"PATH", "HOME", "SLUICE_PGBIN"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	cmd.Env = append(env, cmd.Env...)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	endWithParent(cmd.SysProcAttr)
	started, end := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the child ends with the thread that started it
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(end)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	return end
}
