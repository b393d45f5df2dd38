package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// MainIn is [Main] for packages that test programs: it has prepare put them into a directory, which lasts as long as the tests.
func MainIn(m *testing.M, prepare func(dir string) error) {
	code, err := runIn(m, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this is the end of a TestMain
}

func runIn(m *testing.M, prepare func(dir string) error) (int, error) {
	dir, err := os.MkdirTemp("", "sluice-test-bin-")
	if err != nil {
		return 0, fmt.Errorf("making a place for programs: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := prepare(dir); err != nil {
		return 0, err
	}
	defer Close()
	return m.Run(), nil
}

// Build builds programs into a directory. What it is given is for go build, in the workspace's directory: flags and packages.
func Build(dir string, args ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	build := exec.Command("go", append([]string{"build", "-o", dir + "/"}, args...)...)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", args, err, output)
	}
	return nil
}
