package localpg

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUnexpectedDeathIsSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signal syscall.Signal
		want   string
	}{
		"killed":            {syscall.SIGKILL, "killed"},
		"shut down by hand": {syscall.SIGINT, "by somebody else"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := throwaway(t, openDir(t))
			s := start(t, cfg)
			if err := s.Err(); err != nil {
				t.Errorf("Err of a running server: %v", err)
			}
			if err := s.child.cmd.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			ended(t, s.Done(), "the server")
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Err: %v, want %s", err, test.want)
			}
			stop(t, s)
			start(t, cfg) // with the killed one's postmaster.pid
		})
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway(t, openDir(t)))
	session := openSession(t, s)
	stop(t, s)
	ended(t, session, "the open session")
	stop(t, s)
	ended(t, s.Done(), "the server")
	if err := s.Err(); err != nil {
		t.Errorf("Err after Stop: %v", err)
	}
	if text, err := os.ReadFile(s.home.log()); err != nil || !strings.Contains(string(text), "received fast shutdown request") {
		t.Errorf("the log, %v: %s", err, text)
	}
}

func TestStopAtOnce(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	if err := s.child.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // it won't answer the request
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	if err := s.child.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v", err)
	}
	start(t, cfg)
}

func openSession(t *testing.T, s *Server) <-chan struct{} {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries(t).Dir, "psql"), "-XAt", s.SocketURL("postgres"))
	cmd.Env = cleanEnv()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("BEGIN; SELECT 1;\nSELECT pg_sleep(3600);\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it fails, as it should
	}()
	return done
}

func TestServerEndsWhenWeAreKilled(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	cfg := throwaway(t, dir)
	stop(t, start(t, cfg))
	self, pid := startHelper(t, dir)
	_, err := Start(t.Context(), cfg)
	if inUse := new(InUseError); !errors.As(err, &inUse) || inUse.PID != self.Process.Pid {
		t.Errorf("Start beside another process: %v", err)
	}
	if err := self.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		waitForEnd(t, pid, filepath.Join(dir, "pgdata"))
	}
	s := start(t, cfg)
	if text, err := os.ReadFile(s.home.log()); err != nil || strings.Contains(string(text), "was interrupted") {
		t.Errorf("it was not shut down in order, %v: %s", err, text)
	}
}

func TestStartRightAfterWeAreKilled(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	cfg := throwaway(t, dir)
	stop(t, start(t, cfg))
	self, _ := startHelper(t, dir)
	if err := self.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = self.Wait() // it was killed
	start(t, cfg)   // while the old server is still shutting down
}

// startHelper runs the test binary as another process that starts the cluster, and returns the server's number.
func startHelper(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // held open, it keeps the helper alive
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the helper did not start its server: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return cmd, pid
}

func waitForEnd(t *testing.T, pid int, data string) {
	t.Helper()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	deadline := time.After(patience)
	for serves(pid, data) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the server %d has outlived its parent", pid)
		}
	}
}

// The signal for our death is tied to the thread that started the server, not to whoever called Start.
func TestServerOutlivesTheThreadThatAskedForIt(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	started := make(chan *Server)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		s, err := Start(context.Background(), cfg)
		if err != nil {
			t.Errorf("Start: %v", err)
		}
		started <- s
	}()
	s := <-started
	<-gone
	if s == nil {
		return
	}
	defer stop(t, s)
	query(t, s.SocketURL("postgres"), "SELECT 1")
	select {
	case <-s.Done():
		t.Errorf("the server has ended: %v", s.Err())
	default:
	}
}

func TestCtrlCDoesNotReachTheServer(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway(t, openDir(t)))
	group, err := syscall.Getpgid(s.child.cmd.Process.Pid)
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the server is in process group %d, ours is %d, %v", group, syscall.Getpgrp(), err)
	}
}
