package localpg

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// behind returns the directory where program really lies: a symbolic link is followed, and a wrapper script is read for
// the path of the program it runs. A script that names none is taken as it is: it may set what its program needs.
func behind(program string) string {
	if target, err := filepath.EvalSymlinks(program); err == nil {
		program = target
	}
	text, err := readHead(program)
	if err != nil || !bytes.HasPrefix(text, []byte("#!")) {
		return filepath.Dir(program)
	}
	for _, match := range regexp.MustCompile(`(/[^\s"']*)/(?:postgres|initdb)\b`).FindAllSubmatch(text, -1) {
		if dir := string(match[1]); executable(dir, "postgres") && executable(dir, "initdb") {
			return dir
		}
	}
	return filepath.Dir(program)
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4096)
	n, err := f.Read(head)
	return head[:n], err
}

func executable(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// inspect asks the server in dir for its version.
func inspect(dir string) (Binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{Dir: dir}
	for _, name := range []string{"postgres", "initdb"} {
		if !executable(dir, name) {
			return Binaries{}, fmt.Errorf("%s has no program %s", dir, name)
		}
	}
	cmd := exec.Command(b.Postgres(), "--version")
	cmd.Env = cleanEnv()
	out, err := cmd.Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("asking %s for its version: %w", b.Postgres(), err)
	}
	match := regexp.MustCompile(`\) (\d+)`).FindSubmatch(out)
	if match == nil {
		return Binaries{}, fmt.Errorf("asking %s for its version: it says %q", b.Postgres(), bytes.TrimSpace(out))
	}
	b.Version, err = strconv.Atoi(string(match[1]))
	return b, err
}

// dataVersion is the major version that made the data directory; 0 if there is none.
func dataVersion(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the data directory's version: %w", err)
	}
	major, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("."))
	version, err := strconv.Atoi(string(major))
	if err != nil {
		return 0, fmt.Errorf("reading the data directory's version: %w", err)
	}
	return version, nil
}
