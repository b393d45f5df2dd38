package localpg

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// drainTime is how long the rest of a dead process's output is waited for; its own children may hold the pipe open.
const drainTime = 2 * time.Second

// child is a process that ends with us.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; to be read after done
}

// startChild starts cmd as the account, in a process group of its own so that the terminal's Ctrl-C reaches only us.
// It gets the signal if we die.
func startChild(cmd *exec.Cmd, ifWeDie syscall.Signal, a *account) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.credential()}
	bind(cmd.SysProcAttr, ifWeDie)
	cmd.WaitDelay = drainTime
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel takes the death of the starting thread for ours, so that thread is kept as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, <-started
}

// cleanEnv is our environment without what would change how Postgres finds its data or words its log.
func cleanEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "PG") && !strings.HasPrefix(name, "LC_") && !strings.HasPrefix(name, "LANG") {
			env = append(env, entry)
		}
	}
	return append(env, "LC_ALL=C")
}
