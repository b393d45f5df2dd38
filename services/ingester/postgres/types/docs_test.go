package types_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestDocs holds docs/types.md to its examples: rows of values in code, their type, and their form or why there is none.
func TestDocs(t *testing.T) {
	t.Parallel()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "types.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples, inside, reasons := 0, false, false
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.HasPrefix(line, "| values") && !strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "|---") {
			inside = false
			continue
		}
		if strings.HasPrefix(line, "| values of a column") {
			inside, reasons = true, strings.TrimSpace(cells[2]) == "why"
			continue
		}
		if !inside || strings.HasPrefix(line, "|---") {
			continue
		}
		var values []string
		for _, code := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cells[0], -1) {
			values = append(values, code[1])
		}
		want := strings.TrimSpace(cells[1])
		if form := strings.TrimSpace(cells[2]); form != "" && !reasons {
			want += " " + form
		}
		examples++
		if got := typeOf(observed(values...)); got != want {
			t.Errorf("%q is %s, and %s in the page", values, got, want)
		}
	}
	if examples < 40 {
		t.Errorf("the page has %d examples", examples)
	}
}
