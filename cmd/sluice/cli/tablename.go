package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// tableNamed returns the schema and the table that a name stands for: SCHEMA.TABLE, as tables are printed, or TABLE alone, which
// is of the schema that --schema holds. Where --schema was given, a dot is part of the table's name.
func tableNamed(cmd *cobra.Command, schema, name string) (inSchema, table string) {
	before, after, dotted := strings.Cut(name, ".")
	if !dotted || before == "" || after == "" || cmd.Flags().Changed("schema") {
		return schema, name
	}
	return before, after
}
