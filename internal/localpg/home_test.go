package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestServerDoesNotRunAsRoot(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway(t, openDir(t)))
	info, err := os.Stat(filepath.Join(s.DataDir(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Error("the server runs as root")
	}
}

// Root's server can't reach a directory below a closed one; anybody else's can.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	closed := openDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	said := &record{}
	cfg := throwaway(t, filepath.Join(closed, "home"))
	cfg.Log = said.logger()
	s := start(t, cfg)
	if os.Geteuid() != 0 {
		if s.DataDir() != filepath.Join(cfg.Dir, "pgdata") {
			t.Errorf("the data are in %s", s.DataDir())
		}
		return
	}
	defer func() {
		stop(t, s)
		if err := os.RemoveAll(s.home.dir); err != nil {
			t.Error(err)
		}
	}()
	if filepath.Dir(filepath.Dir(s.DataDir())) != openPlace {
		t.Errorf("the data are in %s, want a directory of %s", s.DataDir(), openPlace)
	}
	if !strings.Contains(said.String(), s.home.dir) {
		t.Errorf("the log does not name the place: %s", said)
	}
	query(t, s.SocketURL("postgres"), "CREATE TABLE kept ()")
	stop(t, s)
	if err := os.Chmod(closed, 0o711); err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg) // an open parent must not make the data seem lost
	query(t, s.SocketURL("postgres"), "SELECT * FROM kept")
}

func TestOwnDirectoryIsOpened(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, throwaway(t, dir))
	if s.home.dir != dir {
		t.Errorf("the cluster is in %s", s.home.dir)
	}
}

func TestExistingClusterKeepsItsOwner(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	stop(t, s)
	if os.Geteuid() != 0 {
		return // nobody else could have made it
	}
	other := &account{name: "another user", uid: 54321, gid: 54321}
	err := filepath.WalkDir(s.DataDir(), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return other.own(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	s = start(t, cfg)
	if s.home.account.uid != other.uid {
		t.Errorf("the server runs as user %d", s.home.account.uid)
	}
	query(t, s.SocketURL("postgres"), "SELECT 1")
}

func TestInitBelowAClosedDirectory(t *testing.T) {
	t.Parallel()
	closed := openDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	err := Init(t.Context(), binaries(t), filepath.Join(closed, "template"))
	if os.Geteuid() == 0 && (err == nil || !strings.Contains(err.Error(), closed)) {
		t.Errorf("Init: %v", err)
	}
	if os.Geteuid() != 0 && err != nil {
		t.Errorf("Init: %v", err)
	}
}

// A cluster that had to be put elsewhere belongs to its directory: it moves with it, and a new directory of the same
// name does not get it.
func TestDisplacedClusterBelongsToItsDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nothing is displaced
	}
	closed := openDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	old, moved := filepath.Join(closed, "old"), filepath.Join(closed, "moved")
	begin := func(dir string) *Server {
		s := start(t, throwaway(t, dir))
		t.Cleanup(func() { _ = os.RemoveAll(s.home.dir) })
		return s
	}
	s := begin(old)
	query(t, s.SocketURL("postgres"), "CREATE TABLE kept ()")
	stop(t, s)
	if err := os.Rename(old, moved); err != nil {
		t.Fatal(err)
	}
	s = begin(moved)
	query(t, s.SocketURL("postgres"), "SELECT * FROM kept")
	stop(t, s)
	s = begin(old)
	if out, err := psql(t, s.SocketURL("postgres"), "SELECT * FROM kept"); err == nil {
		t.Errorf("a new directory has the old one's data: %s", out)
	}
	stop(t, s)
	if err := os.RemoveAll(s.home.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), throwaway(t, old)); err == nil || !strings.Contains(err.Error(), s.home.dir) || !strings.Contains(err.Error(), signpost) {
		t.Errorf("without its data it starts with %v", err)
	}
}
