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

// TestPagesDoNotCollide holds that the commands of all pages can be run in any order: no two load into the same table.
func TestPagesDoNotCollide(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("the pages are %v (%v)", pages, err)
	}
	blocks, tables := regexp.MustCompile("(?s)```sh\n(.*?)```"), regexp.MustCompile(`"table": "(\w+)"|submit.* --table (\w+)`)
	loadedBy := map[string]string{}
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
			for _, found := range tables.FindAllStringSubmatch(block[1], -1) {
				table := found[1] + found[2]
				if other := loadedBy[table]; other != "" && other != page {
					t.Errorf("%s and %s load into table %s", other, page, table)
				}
				loadedBy[table] = page
			}
		}
	}
	if len(loadedBy) < 15 {
		t.Errorf("found are only %v", loadedBy)
	}
}
