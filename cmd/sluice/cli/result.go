package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

func resultCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "result ID",
		Short: "Show what a job has made",
		Long: `Show what a job has made: the table, its columns and their types, how many rows, how the file was read, and what was found
remarkable.`,
		Example: `  sluice result 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice result -o json 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := s.brief(cmd)
			defer cancel()
			a, err := c.Result(ctx, args[0])
			switch {
			case err != nil:
				return err
			case s.output == formatJSON:
				return printJSON(cmd, a.JSON)
			}
			return resultTable(cmd.OutOrStdout(), a.Value)
		},
	}
}

func resultTable(w io.Writer, r client.JobResult) error {
	t := newTable(w)
	t.pair("job", r.JobID)
	t.pair("outcome", string(r.Outcome))
	t.pair("unchanged since", text(r.UnchangedSince))
	t.pair("table", qualified(r.Schema, r.Table))
	t.pair("rows", progress.Number(r.Rows))
	if r.Rejected > 0 {
		t.pair("rejected", progress.Number(r.Rejected))
	}
	t.pair("bytes", progress.Number(r.Bytes))
	t.pair("checksum", r.Checksum)
	if r.Compression != nil {
		t.pair("compression", string(*r.Compression))
	}
	t.pair("member", text(r.Member))
	dialectPairs(t, r.Dialect)
	milliseconds := func(n int64) string { return progress.Duration(time.Duration(n) * time.Millisecond) }
	t.pair("waited, loaded", milliseconds(r.Durations.QueuedMs)+", "+milliseconds(r.Durations.LoadingMs))
	for _, w := range r.Warnings {
		t.pair("warning", warning(w))
	}
	if err := t.end(); err != nil {
		return err
	}
	return columnsTable(w, r.Columns)
}

// dialectPairs says how a file was read.
func dialectPairs(t table, d client.Dialect) {
	t.pair("encoding", d.Encoding)
	t.pair("delimiter", quoted(d.Delimiter))
	t.pair("quote", quoted(d.Quote))
	if d.Escape != d.Quote {
		t.pair("escape", quoted(d.Escape))
	}
	header := "none"
	if d.Header {
		header = counted(d.HeaderRows, "row")
	}
	if d.SkipRows > 0 {
		header += fmt.Sprintf(" below %s", counted(d.SkipRows, "line"))
	}
	t.pair("header", header)
	t.pair("comment", text(d.Comment))
	if d.Confidence != nil {
		t.pair("confidence", strconv.FormatFloat(*d.Confidence, 'f', 2, 64))
	}
}

func quoted(text string) string {
	if text == "" {
		return "none"
	}
	return "'" + text + "'"
}

// columnsTable lists columns below what was said of the file: what there is to say of any of them.
func columnsTable(w io.Writer, columns []client.Column) error {
	if _, err := fmt.Fprintln(w); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	header, rows := []string{"COLUMN", "TYPE"}, make([][]string, len(columns))
	for i, c := range columns {
		rows[i] = []string{c.Name, c.Type}
	}
	for _, more := range []struct {
		header string
		of     func(client.Column) string
	}{
		{"IN THE FILE", func(c client.Column) string { return unless(c.Original, c.Name) }},
		{"RULE", func(c client.Column) string { return text(c.Rule) }},
		{"FORM", func(c client.Column) string { return text(c.Form) }},
	} {
		if !slices.ContainsFunc(columns, func(c client.Column) bool { return more.of(c) != "" }) {
			continue
		}
		header = append(header, more.header)
		for i, c := range columns {
			rows[i] = append(rows[i], more.of(c))
		}
	}
	t := newTable(w, header...)
	for _, row := range rows {
		t.row(row...)
	}
	return t.end()
}

// unless is a text, but empty if it is the same as another.
func unless(text, other string) string {
	if text == other {
		return ""
	}
	return text
}
