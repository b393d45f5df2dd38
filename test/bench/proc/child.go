package proc

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sluice/internal/transcript"
)

const (
	endTime   = 20 * time.Second     // for a child to end in order
	peakEvery = 5 * time.Millisecond // between two looks at the memory of a child
)

// Child is a program that runs, and ends with us.
type Child struct {
	cmd   *exec.Cmd
	said  transcript.Transcript
	ended chan struct{}
	err   error // how; to be read after ended
}

// Start runs a command. What it says is kept, unless it has been told where to put it. It gets a process group of its own,
// so that Ctrl-C in a terminal reaches only us, who end it in order.
func Start(cmd *exec.Cmd) (*Child, error) {
	c := &Child{cmd: cmd, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &c.said
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &c.said
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the child ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(cmd.Path), err)
	}
	return c, nil
}

// PID is the process's number.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Await returns once the process has said a text.
func (c *Child) Await(ctx context.Context, text string) error {
	if err := c.said.Await(ctx, text, c.ended); err != nil {
		return fmt.Errorf("waiting for %s to say %q: %w; it has said\n%s", filepath.Base(c.cmd.Path), text, err, c.Said())
	}
	return nil
}

// Said is what the process has said.
func (c *Child) Said() string { return strings.TrimSpace(c.said.String()) }

// Failure is how the process has ended, nil if well.
func (c *Child) Failure() error {
	<-c.ended
	if c.err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(c.cmd.Path), c.err, c.Said())
	}
	return nil
}

// Stop ends the process in order, or kills it if that takes too long.
func (c *Child) Stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	late := time.NewTimer(endTime)
	defer late.Stop()
	select {
	case <-c.ended:
		return c.Failure()
	case <-late.C:
		_ = c.cmd.Process.Kill()
		return errors.Join(fmt.Errorf("it has not ended within %s", endTime), c.Failure())
	}
}

// Finish waits until the process has ended well, and returns what it has used. The kernel's own record of the peak is of
// no use here: a child's begins with its parent's. So the peak is read while the process runs.
func (c *Child) Finish(ctx context.Context) (cpu time.Duration, peak int64, err error) {
	tick := time.NewTicker(peakEvery)
	defer tick.Stop()
	for {
		if now, err := PeakMemory(c.PID()); err == nil {
			peak = max(peak, now)
		}
		select {
		case <-c.ended:
			return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime(), peak, c.Failure()
		case <-ctx.Done():
			_ = c.cmd.Process.Kill()
			<-c.ended
			return 0, 0, fmt.Errorf("running %s: %w", filepath.Base(c.cmd.Path), context.Cause(ctx))
		case <-tick.C:
		}
	}
}
