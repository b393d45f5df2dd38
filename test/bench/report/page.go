package report

import (
	"fmt"
	"os"
	"strings"
)

// Page is a document of prose with a place for a report in it.
type Page struct{ path, before, begin, end, after string }

// OpenPage reads a page and finds the place for what a command writes.
func OpenPage(path, command string) (Page, error) {
	begin := "<!-- What follows is written by " + command + ". -->\n"
	end := "<!-- What was written by " + command + " ends here. -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		return Page{}, fmt.Errorf("reading the page: %w", err)
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return Page{}, fmt.Errorf("%s has no place for the report, between the lines\n%s%s", path, begin, end)
	}
	return Page{path: path, before: before, begin: begin, end: end, after: after}, nil
}

// Put replaces what stands in the place.
func (p Page) Put(markdown string) error {
	text := p.before + p.begin + "\n" + strings.TrimSpace(markdown) + "\n\n" + p.end + p.after
	if err := os.WriteFile(p.path, []byte(text), 0o644); err != nil { //nolint:gosec // for everyone to read
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
