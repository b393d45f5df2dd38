package events_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"sluice/pkg/events"
)

// TestErrorsDoc holds that users find each code of a failed job in docs/errors.md, and no other.
func TestErrorsDoc(t *testing.T) {
	section := sectionOf(t, "errors.md", "## Failed jobs")
	seen := map[events.Code]bool{}
	for line := range strings.Lines(section) {
		code, cells, ok := tableRow(line)
		if !ok {
			continue
		}
		if len(cells) != 3 {
			t.Errorf("%s: has %d cells behind its code, want 3", code, len(cells))
			continue
		}
		meaning, retried, remedy := cells[0], cells[1], cells[2]
		if seen[code] {
			t.Errorf("%s: has two rows", code)
		}
		seen[code] = true
		want := "no"
		if code.Retryable() {
			want = "yes"
		}
		switch {
		case code.Title() == "":
			t.Errorf("%s: is no code of a failed job", code)
		case retried != want:
			t.Errorf("%s: retried %q, want %q", code, retried, want)
		case !strings.HasPrefix(strings.ToLower(meaning), strings.ToLower(code.Title())):
			t.Errorf("%s: the meaning is %q, want one that starts with %q", code, meaning, code.Title())
		case remedy == "":
			t.Errorf("%s: there is nothing to do", code)
		}
	}
	for _, code := range events.Codes() {
		if !seen[code] {
			t.Errorf("%s: has no row", code)
		}
	}
}

// TestEventsDoc holds that the examples in docs/events.md are the goldens.
func TestEventsDoc(t *testing.T) {
	fence := regexp.MustCompile("(?s)```json\n(.*?)```")
	for _, kind := range events.Types() {
		example := fence.FindStringSubmatch(sectionOf(t, "events.md", "### "+string(kind)))
		if example == nil {
			t.Errorf("%s: there is no example", kind)
			continue
		}
		golden, ok := parse(t, readGolden(t, string(kind))).(map[string]any)
		if !ok {
			t.Fatalf("%s: the golden is no object", kind)
		}
		t.Run(string(kind), func(t *testing.T) { sameJSON(t, []byte(example[1]), encode(t, golden["data"])) })
	}
	envelope := fence.FindStringSubmatch(sectionOf(t, "events.md", "## Envelope"))
	if envelope == nil {
		t.Fatal("there is no example of an envelope")
	}
	sameJSON(t, []byte(envelope[1]), readGolden(t, string(events.TypeQueued)))
}

// sectionOf returns what stands under a heading, up to the next one.
func sectionOf(t *testing.T, doc, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + doc)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", doc, heading)
	}
	if next := regexp.MustCompile(`(?m)^#+ `).FindStringIndex(section); next != nil {
		section = section[:next[0]]
	}
	return section
}

// tableRow reads a row that starts with a code.
func tableRow(line string) (events.Code, []string, bool) {
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	first := strings.TrimSpace(cells[0])
	code := strings.Trim(first, "`")
	if len(cells) < 2 || first != "`"+code+"`" {
		return "", nil, false
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return events.Code(code), cells[1:], true
}
