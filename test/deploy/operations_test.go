package deploy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// natsCommand is the nats command, of the version that tools/ names.
var natsCommand = sync.OnceValues(func() (string, error) {
	command := filepath.Join(scratch, "bin", "nats")
	build := exec.Command("go", "build", "-o", command, "github.com/nats-io/natscli/nats")
	build.Dir, build.Env = filepath.Join(root, "tools"), append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if output, err := build.CombinedOutput(); err != nil {
		return "", errors.New(string(output))
	}
	return command, nil
})

// steps are the commands that docs/operations.md has below a heading, one for each line.
func steps(t testing.TB, heading string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n### " + heading + "\n(?:[^#`]|`[^`])*?\n```sh\n(.*?)\n```\n").FindSubmatch(page)
	if block == nil {
		t.Fatalf("docs/operations.md has no commands below %q", heading)
	}
	return strings.Split(string(block[1]), "\n")
}

// operator is somebody at a shell who does what docs/operations.md says.
type operator struct{ path, settings []string }

func newOperator(t testing.TB) *operator {
	t.Helper()
	command, err := natsCommand()
	if err != nil {
		t.Fatalf("building the nats command: %v", err)
	}
	bins, err := localpg.Find(os.Getenv("SLUICE_PGBIN"))
	if err != nil {
		t.Fatal(err)
	}
	sluice := filepath.Join(t.TempDir(), "sluice")
	if err := os.Symlink(program(t, "sluice"), sluice); err != nil {
		t.Fatal(err)
	}
	home := "XDG_CONFIG_HOME=" + t.TempDir() // no settings of the nats command but these
	return &operator{
		path:     []string{filepath.Dir(command), filepath.Dir(sluice), bins.Dir, os.Getenv("PATH")},
		settings: []string{home},
	}
}

// knows gives a name of the documentation its value.
func (o *operator) knows(name, value string) { o.settings = append(o.settings, name+"="+value) }

func (o *operator) does(t testing.TB, step string) string {
	t.Helper()
	cmd := exec.CommandContext(testenv.Context(t), "sh", "-euc", step)
	cmd.Env = append(append(os.Environ(), o.settings...), "PATH="+strings.Join(o.path, string(os.PathListSeparator)))
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", step, err, output)
	}
	return string(output)
}
