package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

func rejectsCommand(s *session) *cobra.Command {
	limit := 50
	command := &cobra.Command{
		Use:   "rejects ID",
		Short: "Show which rows a job has left out, and why",
		Long: `Show which rows a job has left out since they were bad, in the file's order, and why. With -o csv it writes all of them with a
header.`,
		Example: `  sluice rejects 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice rejects -o csv 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e > bad.csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd, formatTable, formatJSON, formatCSV)
			switch {
			case err != nil:
				return err
			case limit < 0:
				return Wrong(cmd, "--limit must not be negative")
			case s.output == formatCSV && cmd.Flags().Changed("limit"):
				return Wrong(cmd, "-o csv has all rows; --limit goes with table and json")
			case s.output == formatCSV:
				body, err := c.RejectsCSV(cmd.Context(), args[0], client.GetJobRejectsParams{})
				return export(cmd.OutOrStdout(), body, err)
			}
			return s.rejects(cmd, c, args[0], limit)
		},
	}
	command.Flags().IntVar(&limit, "limit", limit, "how many rows at the most; 0: all")
	return command
}

func (s *session) rejects(cmd *cobra.Command, c *client.Client, id string, limit int) error {
	var rows []client.Reject
	pages := document{list: "rejects"}
	more, err := follow(limit, func(size int, cursor *string) (int, *string, error) {
		ctx, cancel := s.brief(cmd)
		defer cancel()
		page, err := c.Rejects(ctx, id, client.GetJobRejectsParams{Limit: &size, Cursor: cursor})
		if err != nil {
			return 0, nil, err
		}
		rows = append(rows, page.Value.Rejects...)
		return len(page.Value.Rejects), page.Value.NextCursor, pages.add(page.JSON)
	})
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, pages.bytes())
	}
	t := newTable(cmd.OutOrStdout(), "LINE", "COLUMN", "CODE", "REASON", "ROW")
	for _, r := range rows {
		column := text(r.ColumnName)
		if column == "" && r.Column != nil {
			column = strconv.Itoa(*r.Column)
		}
		t.row(strconv.FormatInt(r.Line, 10), column, r.Code, r.Reason, short(r.Raw, 80))
	}
	if err := t.end(); err != nil {
		return err
	}
	if more {
		cmd.PrintErrln("There are more; --limit 0 lists all, and -o csv writes them whole.")
	}
	return nil
}

// export copies a stream to its end.
func export(w io.Writer, body io.ReadCloser, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(w, body)
	if closed := body.Close(); err == nil {
		err = closed
	}
	return err
}
