package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

func previewCommand(s *session) *cobra.Command {
	var from source
	var how reading
	rows := 10
	command := &cobra.Command{
		Use:   "preview URL|FILE|-",
		Short: "Show how a file would be read, without loading it",
		Long: `Show how a file would be read: how it is written, which columns it has, which types their values would get, and its first
rows. Nothing is loaded. A file of this machine is uploaded first, and removed a day later.`,
		Example: `  sluice preview http://localhost:8000/tripsdata.csv
  sluice preview --rows 3 --delimiter ';' prices.csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: files,
		RunE: func(cmd *cobra.Command, args []string) error {
			fields := map[string]any{}
			if cmd.Flags().Changed("rows") {
				fields["rows"] = rows
			}
			if err := how.into(fields, cmd); err != nil {
				return err
			}
			return s.preview(cmd, &from, fields, args[0])
		},
	}
	command.Flags().IntVar(&rows, "rows", rows, "how many of the first rows to show, at most 100")
	from.flags(command.Flags())
	how.flags(command.Flags())
	completeWords(command, map[string][]string{"column-names": {"original", "snake"}})
	return command
}

func (s *session) preview(cmd *cobra.Command, from *source, fields map[string]any, file string) error {
	c, err := s.connect(cmd)
	if err != nil {
		return err
	}
	var found client.Answer[client.Preview]
	look := func(body []byte) error {
		ctx, cancel := s.brief(cmd)
		defer cancel()
		found, err = c.PreviewJSON(ctx, body)
		return err
	}
	if err := s.asking(cmd, c, fields, from, file, look); err != nil {
		return err
	}
	if s.output == formatJSON {
		return printJSON(cmd, found.JSON)
	}
	return previewTables(cmd.OutOrStdout(), found.Value)
}

func previewTables(w io.Writer, p client.Preview) error {
	t := newTable(w)
	if p.Compression != nil {
		t.pair("compression", string(*p.Compression))
	}
	t.pair("member", text(p.Member))
	if p.TotalBytes != nil {
		t.pair("size", progress.Bytes(*p.TotalBytes))
	}
	looked := counted(p.RowsRead, "row") + ", " + progress.Bytes(p.BytesRead)
	if p.Complete {
		looked += ": the whole file"
	}
	t.pair("looked at", looked)
	dialectPairs(t, p.Dialect)
	for _, w := range p.Warnings {
		t.pair("warning", warning(w))
	}
	if bad := p.FirstBad; bad != nil {
		t.pair("first bad row", bad.Message+" ["+bad.Code+"]")
	}
	if err := t.end(); err != nil {
		return err
	}
	if err := columnsTable(w, p.Columns); err != nil {
		return err
	}
	if len(p.Rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	header := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		header[i] = short(c.Name, cellWidth)
	}
	t = newTable(w, header...)
	for _, row := range p.Rows {
		cells := make([]string, len(row))
		for i, value := range row {
			if value != nil { // nil for NULL
				cells[i] = short(*value, cellWidth)
			}
		}
		t.row(cells...)
	}
	return t.end()
}

// cellWidth is how much of a value a table shows, in characters.
const cellWidth = 40
