package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user the server runs as; nil means ourselves, since only root can and must become another.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is who runs a new cluster.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if errors.As(err, new(user.UnknownUserError)) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking up user %s: %w", name, err)
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("looking up user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("root can't run Postgres and there is neither a user postgres nor nobody to run it as")
}

// ownerOf is who runs the cluster that info, its data directory, belongs to.
func ownerOf(info fs.FileInfo) (*account, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() != 0 || !ok || stat.Uid == 0 {
		return serverAccount()
	}
	return &account{name: "uid " + strconv.Itoa(int(stat.Uid)), uid: stat.Uid, gid: stat.Gid}, nil
}

// credential is what a process that runs as a is started with.
func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives path itself, not what a link points to, to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("giving it to user %s: %w", a.name, err)
	}
	return nil
}

// closed returns the directory on the way to dir, dir included, that the account can't pass; empty if it gets through.
func (a *account) closed(dir string) (string, error) {
	if a == nil {
		return "", nil
	}
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return "", err
		}
		if !a.passes(info) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// passes reads the mode bits: exactly one of owner, group and others applies.
func (a *account) passes(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && stat.Uid == a.uid:
		return info.Mode()&0o100 != 0
	case ok && stat.Gid == a.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
