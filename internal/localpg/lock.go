package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lock is the right to run the cluster of a directory. The kernel takes it back when its holder dies.
type lock struct{ file *os.File }

// acquire takes the lock that lives in the file at path, or says who holds it: *InUseError with dir.
func acquire(path, dir string) (*lock, error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		defer func() { _ = f.Close() }()
		return nil, &InUseError{Dir: dir, PID: holder(f)}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("writing our process number to %s: %w", path, err), f.Close())
	}
	return &lock{f}, nil
}

// await takes the lock at path as soon as its holder lets go of it, or returns the context's error.
func await(ctx context.Context, path string) (*lock, error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	taken := make(chan error, 1)
	go func() { taken <- flock(f) }()
	select {
	case err := <-taken:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
		}
		return &lock{f}, nil
	case <-ctx.Done():
		go func() { // the system call can't be called off, so the lock is given back when it comes
			if <-taken == nil {
				_ = (&lock{f}).release()
			}
		}()
		return nil, fmt.Errorf("waiting for the lock %s: %w", path, context.Cause(ctx))
	}
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openLock follows no link: the directory may belong to a user less trusted than we are.
func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	return f, nil
}

// release gives the lock back. Closing the file alone would not do it while a process just being forked has a copy open.
// The file stays: removing it would let two processes lock two files of one name.
func (l *lock) release() error {
	if err := errors.Join(unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close()); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	return nil
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) int {
	text := make([]byte, 32)
	n, _ := f.ReadAt(text, 0) // the end of the file comes as an error
	pid, _ := strconv.Atoi(string(bytes.TrimSpace(text[:n])))
	return pid
}
