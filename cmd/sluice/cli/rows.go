package cli

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

// rowsQuestion is which rows are wanted.
type rowsQuestion struct {
	schema, columns string
	filters         []string
	limit           int
	safe            bool
}

func rowsCommand(s *session) *cobra.Command {
	var q rowsQuestion
	command := &cobra.Command{
		Use:   "rows [SCHEMA.]TABLE",
		Short: "Read the rows of a table",
		Long: `Read the rows of a table, in the order of its primary key if it has one. A table or JSON has 50 rows unless --limit says otherwise;
-o csv and -o ndjson stream all of them.

A filter is COLUMN:OPERATOR:VALUE, with the operators eq, ne, lt, lte, gt, gte, and is with null or not_null.`,
		Example: `  sluice rows trips
  sluice rows trips --columns VendorID,fare_amount --filter fare_amount:gte:10 --limit 5
  sluice rows sales.trips -o csv > trips.csv
  sluice rows trips -o csv | head`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.tables,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd, formatTable, formatJSON, formatNDJSON, formatCSV)
			switch {
			case err != nil:
				return err
			case q.limit < 0:
				return Wrong(cmd, "--limit must not be negative")
			case q.safe && s.output != formatCSV:
				return Wrong(cmd, "--formula-safe goes with -o csv")
			}
			schema, table := tableNamed(cmd, q.schema, args[0])
			q.schema = schema
			switch s.output {
			case formatCSV:
				body, err := c.RowsCSV(cmd.Context(), table, q.all(cmd))
				return export(cmd.OutOrStdout(), body, err)
			case formatNDJSON:
				body, err := c.RowsNDJSON(cmd.Context(), table, q.all(cmd))
				return export(cmd.OutOrStdout(), body, err)
			}
			return s.rows(cmd, c, table, q)
		},
	}
	f := command.Flags()
	f.StringVar(&q.schema, "schema", "", "the table's schema (default public); TABLE may have a dot then")
	f.StringVar(&q.columns, "columns", "", `which columns, as a line of CSV: id,"Total, EUR"`)
	f.StringArrayVar(&q.filters, "filter", nil, "only rows that pass, such as fare:gte:10; may be given again")
	f.IntVar(&q.limit, "limit", 50, "how many rows at the most; 0: all, as csv and ndjson have without it")
	f.BoolVar(&q.safe, "formula-safe", false, "with csv: put a ' before texts that a spreadsheet would run as formulas")
	return command
}

func (q rowsQuestion) params() client.GetDatasetRowsParams {
	p := client.GetDatasetRowsParams{Schema: optional(q.schema), Columns: optional(q.columns)}
	if len(q.filters) > 0 {
		p.Filter = &q.filters
	}
	return p
}

// all is the question for a stream.
func (q rowsQuestion) all(cmd *cobra.Command) client.GetDatasetRowsParams {
	p := q.params()
	if limit := int64(q.limit); cmd.Flags().Changed("limit") && limit > 0 {
		p.Limit = &limit
	}
	if q.safe {
		p.FormulaSafe = &q.safe
	}
	return p
}

func (s *session) rows(cmd *cobra.Command, c *client.Client, table string, q rowsQuestion) error {
	params, pages := q.params(), document{list: "rows"}
	more, err := follow(q.limit, func(size int, cursor *string) (int, *string, error) {
		limit := int64(size)
		params.Limit, params.Cursor = &limit, cursor
		ctx, cancel := s.brief(cmd)
		defer cancel()
		page, err := c.Rows(ctx, table, params)
		if err != nil {
			return 0, nil, err
		}
		return len(page.Value.Rows), page.Value.NextCursor, pages.add(page.JSON)
	})
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, pages.bytes())
	}
	if err := rowsTable(cmd, pages.items); err != nil {
		return err
	}
	if more {
		cmd.PrintErrln("There are more; --limit 0 shows all, and -o csv streams them.")
	}
	return nil
}

func rowsTable(cmd *cobra.Command, rows []json.RawMessage) error {
	if len(rows) == 0 {
		cmd.PrintErrln("There are no such rows.")
		return nil
	}
	columns, err := names(rows[0])
	if err != nil {
		return err
	}
	header := make([]string, len(columns))
	for i, name := range columns {
		header[i] = short(name, cellWidth)
	}
	t := newTable(cmd.OutOrStdout(), header...)
	for _, row := range rows {
		var values map[string]json.RawMessage
		if err := json.Unmarshal(row, &values); err != nil {
			return err
		}
		cells := make([]string, len(columns))
		for i, name := range columns {
			cells[i] = short(cell(values[name]), cellWidth)
		}
		t.row(cells...)
	}
	return t.end()
}

// cell is a value as a table shows it: a text without its quotes, nothing for NULL, and else its JSON.
func cell(value json.RawMessage) string {
	var text string
	switch {
	case string(value) == "null":
		return ""
	case strings.HasPrefix(string(value), `"`) && json.Unmarshal(value, &text) == nil:
		return text
	}
	return string(value)
}
