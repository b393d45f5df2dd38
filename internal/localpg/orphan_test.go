package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestStalePIDFile(t *testing.T) {
	t.Parallel()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	stop(t, s)
	for name, first := range map[string]string{
		"dead process":    strconv.Itoa(dead.Process.Pid),
		"another program": strconv.Itoa(os.Getppid()),
		"ourselves":       strconv.Itoa(os.Getpid()),
		"the first":       "1",
		"cut short":       "",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(s.DataDir(), "postmaster.pid")
			text := fmt.Sprintf("%s\n%s\n1700000000\n5432\n/nowhere\n127.0.0.1\n", first, s.DataDir())
			if first == "" {
				text = "\n"
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.home.account.own(file); err != nil {
				t.Fatal(err)
			}
			next := start(t, cfg)
			query(t, next.SocketURL("postgres"), "SELECT 1")
		})
	}
}

// orphan runs the server without a parent that knows of it, and returns a channel closed at its end.
func orphan(t *testing.T, s *Server) (*exec.Cmd, <-chan struct{}) {
	t.Helper()
	log, err := openLog(filepath.Join(openDir(t), "log"), (&record{}).logger())
	if err != nil {
		t.Fatal(err)
	}
	socket, err := os.MkdirTemp("", "localpg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(socket) })
	if err := s.home.account.own(socket); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binaries(t).Postgres(), (&Server{home: s.home, socket: socket, port: s.port}).args(nil)...)
	cmd.Dir = s.home.dir
	cmd.Env = cleanEnv()
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.home.account.credential(), Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
	select {
	case <-log.ready:
	case <-done:
		t.Fatalf("the orphan did not start: %s", log.why())
	}
	return cmd, done
}

func TestOrphanIsShutDown(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	stop(t, s)
	_, done := orphan(t, s)
	said := &record{}
	cfg.Log, cfg.Port = said.logger(), s.port // which the orphan holds
	next := start(t, cfg)
	ended(t, done, "the orphan")
	if !strings.Contains(said.String(), "outlived its parent") {
		t.Errorf("the log does not tell: %s", said)
	}
	if text, err := os.ReadFile(next.home.log()); err != nil || strings.Contains(string(text), "was interrupted") {
		t.Errorf("the orphan was not shut down in order, %v: %s", err, text)
	}
}

func TestOrphanThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	stop(t, s)
	process, _ := orphan(t, s)
	if err := process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, cfg)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), strconv.Itoa(process.Process.Pid)) {
		t.Errorf("Start: %v", err)
	}
}
