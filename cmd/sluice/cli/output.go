package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
)

// The formats of output.
const (
	formatTable  = "table"
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

// printJSON writes an answer as it came, on one line.
func printJSON(cmd *cobra.Command, answer json.RawMessage) error {
	return say(cmd, string(bytes.TrimSpace(answer)))
}

// say writes a line to standard output.
func say(cmd *cobra.Command, text string) error {
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), text); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// table writes cells in columns.
type table struct{ tabs *tabwriter.Writer }

func newTable(w io.Writer, header ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(header) > 0 {
		t.row(header...)
	}
	return t
}

func (t table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = visible(cell)
	}
	_, _ = fmt.Fprintln(t.tabs, strings.Join(cells, "\t")) // end tells
}

// pair writes a name and a value, if there is one.
func (t table) pair(name, value string) {
	if value != "" {
		t.row(name, value)
	}
}

func (t table) end() error {
	if err := t.tabs.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// visible is a text without what would move a terminal's cursor or break a table.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) }

// short is a text of at most so many characters.
func short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

// counted is a number with its noun.
func counted[N int | int64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return progress.Number(int64(n)) + " " + noun
}
