package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

func datasetsCommand(s *session) *cobra.Command {
	schema, limit := "", 50
	command := &cobra.Command{
		Use:   "datasets [[SCHEMA.]TABLE]",
		Short: "List the tables that were loaded, or show one",
		Long: `List the tables that were loaded, by schema and name; or show one of them with its columns. How many rows there are is
Postgres's estimate.`,
		Example: `  sluice datasets
  sluice datasets trips
  sluice datasets sales.trips
  sluice datasets --schema sales -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.tables,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			switch {
			case err != nil:
				return err
			case limit < 0:
				return Wrong(cmd, "--limit must not be negative")
			case len(args) == 1:
				schema, table := tableNamed(cmd, schema, args[0])
				return s.dataset(cmd, c, schema, table)
			}
			return s.datasets(cmd, c, schema, limit)
		},
	}
	command.Flags().StringVar(&schema, "schema", "", "only tables of this schema; with TABLE the table's, and TABLE may have a dot then")
	command.Flags().IntVar(&limit, "limit", limit, "how many tables at the most; 0: all")
	return command
}

func (s *session) datasets(cmd *cobra.Command, c *client.Client, schema string, limit int) error {
	var list []client.Dataset
	pages := document{list: "datasets"}
	more, err := follow(limit, func(size int, cursor *string) (int, *string, error) {
		ctx, cancel := s.brief(cmd)
		defer cancel()
		page, err := c.Datasets(ctx, client.ListDatasetsParams{Schema: optional(schema), Limit: &size, Cursor: cursor})
		if err != nil {
			return 0, nil, err
		}
		list = append(list, page.Value.Datasets...)
		return len(page.Value.Datasets), page.Value.NextCursor, pages.add(page.JSON)
	})
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, pages.bytes())
	}
	t := newTable(cmd.OutOrStdout(), "SCHEMA", "TABLE", "ROWS", "SIZE", "COLUMNS", "LOADED", "JOB")
	for _, d := range list {
		t.row(d.Schema, d.Table, progress.Number(d.Rows), progress.Bytes(d.Bytes), strconv.Itoa(len(d.Columns)), moment(&d.LoadedAt), d.JobID)
	}
	if err := t.end(); err != nil {
		return err
	}
	if more {
		cmd.PrintErrln("There are more; --limit 0 lists all.")
	}
	return nil
}

func (s *session) dataset(cmd *cobra.Command, c *client.Client, schema, name string) error {
	ctx, cancel := s.brief(cmd)
	defer cancel()
	a, err := c.Dataset(ctx, schema, name)
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, a.JSON)
	}
	return datasetTable(cmd.OutOrStdout(), a.Value)
}

func datasetTable(w io.Writer, d client.Dataset) error {
	t := newTable(w)
	t.pair("table", qualified(d.Schema, d.Table))
	t.pair("rows", "about "+progress.Number(d.Rows))
	t.pair("size", progress.Bytes(d.Bytes))
	t.pair("loaded", moment(&d.LoadedAt))
	t.pair("job", d.JobID)
	t.pair("source", text(d.Source))
	t.pair("mode", string(d.Mode))
	if !d.MadeBySluice {
		t.pair("made by", "others; Sluice does not drop it")
	}
	if err := t.end(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	t = newTable(w, "COLUMN", "TYPE", "NULLABLE")
	for _, c := range d.Columns {
		nullable := "no"
		if c.Nullable {
			nullable = "yes"
		}
		t.row(c.Name, c.Type, nullable)
	}
	return t.end()
}
