package columntype_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestDocs holds docs/types.md to its table of values: what is stated of a column, a value, and what becomes of it.
func TestDocs(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "types.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| column | value | becomes |\n|---|---|---|\n")
	if !found {
		t.Fatal("the page has no such table")
	}
	examples := 0
	for line := range strings.Lines(table) {
		cells := regexp.MustCompile("^\\| `(.*)` \\| `(.*)` \\| (.*) \\|\n$").FindStringSubmatch(line)
		if cells == nil {
			break
		}
		var stated events.ColumnType
		if json.Unmarshal([]byte(cells[1]), &stated.Type) != nil {
			if err := json.Unmarshal([]byte(cells[1]), &stated); err != nil {
				t.Fatalf("%s: %v", cells[1], err)
			}
		}
		want := strings.Trim(cells[3], "`")
		if word, ok := map[string]string{"a bad row": "no", "what Postgres says": "ask"}[want]; ok {
			want = word
		}
		if got := told(parse(t, stated), cells[2]); got != want {
			t.Errorf("%s: %s becomes %s, and %s in the page", cells[1], cells[2], got, want)
		}
		examples++
	}
	if examples < 20 {
		t.Errorf("the page has %d examples", examples)
	}
}
