package localpg

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// helperDir names the variable that turns the test binary into a process that starts the cluster in that directory.
const helperDir = "LOCALPG_HELPER_DIR"

// patience is how long anything may take before a test gives up; nothing waits for it to pass.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		os.Exit(helper(dir))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer func() {
		if dir, err := templateDir(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}()
	return m.Run()
}

// helper starts a cluster, says so on stdout, and lives until its stdin ends or it is killed.
func helper(dir string) int {
	s, err := Start(context.Background(), Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.child.cmd.Process.Pid)
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

var templateDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "localpg-template-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
})

// template is a data directory that initdb has to make only once for all tests.
func template(t testing.TB) string {
	t.Helper()
	dir, err := templateDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "pgdata")
	if err := Init(t.Context(), binaries(t), dir); err != nil {
		t.Fatalf("making the tests' template: %v", err)
	}
	return dir
}

func binaries(t testing.TB) Binaries {
	t.Helper()
	bins, err := Find(os.Getenv("SLUICE_PGBIN"))
	if err != nil {
		t.Fatalf("these tests need PostgreSQL: %v", err)
	}
	return bins
}

// openDir is a new directory that another user can pass, which t.TempDir's parent is not.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "localpg-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// throwaway is the configuration of a cluster that starts quickly.
func throwaway(t testing.TB, dir string) Config {
	t.Helper()
	return Config{Dir: dir, BinDir: binaries(t).Dir, Template: template(t), Settings: map[string]string{"fsync": "off"}}
}

// start runs the cluster until the test ends.
func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := Start(ctx, cfg)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// psql runs SQL and returns what it says, errors included.
func psql(t testing.TB, url, sql string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries(t).Dir, "psql"), "-XwAt", "-v", "ON_ERROR_STOP=1", "-c", sql, url)
	cmd.Env = append(cleanEnv(), "PGPASSFILE=/nonexistent")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func query(t testing.TB, url, sql string) string {
	t.Helper()
	out, err := psql(t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v: %s", sql, err, out)
	}
	return out
}

// ended waits until the channel is closed.
func ended(t testing.TB, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s did not end", what)
	}
}

// record is a log that a test can read.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }
