package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// documentation runs the commands of docs/cli.md, one after the other, as somebody would who reads it.
func (s site) documentation(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -eu\n"
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	for _, block := range blocks {
		script += block[1]
	}
	if len(blocks) < 10 {
		t.Fatalf("there are %d blocks of commands", len(blocks))
	}
	script = strings.ReplaceAll(script, "http://localhost:8000", s.files)
	cmd := exec.CommandContext(testenv.Context(t), "bash", "-c", script)
	cmd.Dir = testenv.Dir(t)
	cmd.Env = append(s.environment(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the commands fail: %v\n%s", err, output)
	}
}
