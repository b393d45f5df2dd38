package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	begin = "<!-- What follows is written by make bench. -->\n"
	end   = "<!-- What was written by make bench ends here. -->\n"
)

func TestPageKeepsTheProse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	const before, after = "# Benchmarks\n\nProse.\n\n", "\n## Where the time goes\n\nMore prose.\n"
	if err := os.WriteFile(path, []byte(before+begin+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, report := range []string{"| a long table |\n| of two rows |\n", "| a table |\n"} { // a second one replaces the first
		page, err := OpenPage(path, "make bench")
		if err != nil {
			t.Fatal(err)
		}
		if err := page.Put(report); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if want := before + begin + "\n" + report + "\n" + end + after; err != nil || string(text) != want {
			t.Errorf("the page is (%v)\n%s\nwant\n%s", err, text, want)
		}
	}
}

func TestPageWithoutAPlace(t *testing.T) {
	for _, text := range []string{"", begin, end, end + begin} {
		path := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPage(path, "make bench"); err == nil || !strings.Contains(err.Error(), "no place") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := OpenPage(filepath.Join(t.TempDir(), "none.md"), "make bench"); err == nil {
		t.Error("a page that is missing is opened")
	}
}

// TestPageHasAPlace holds that the page of this repository can take a report, before somebody waits for one.
func TestPageHasAPlace(t *testing.T) {
	for _, command := range []string{"make bench", "make compare"} {
		if _, err := OpenPage("../../../docs/benchmarks.md", command); err != nil {
			t.Error(err)
		}
	}
}
