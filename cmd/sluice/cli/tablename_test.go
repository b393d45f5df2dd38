package cli

import (
	"testing"

	"github.com/spf13/cobra"
)

func TestTableNamed(t *testing.T) {
	for _, c := range []struct {
		args                []string
		name, schema, table string
	}{
		{nil, "trips", "public", "trips"},
		{nil, "sales.trips", "sales", "trips"},
		{nil, "sales.trips.2026", "sales", "trips.2026"},
		{nil, ".trips", "public", ".trips"},
		{nil, "trips.", "public", "trips."},
		{[]string{"--schema", "sales"}, "trips", "sales", "trips"},
		{[]string{"--schema", "sales"}, "sales.trips", "sales", "sales.trips"},
		{[]string{"--schema", "public"}, "trips.2026", "public", "trips.2026"},
	} {
		cmd := &cobra.Command{}
		schema := cmd.Flags().String("schema", "public", "")
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		if inSchema, table := tableNamed(cmd, *schema, c.name); inSchema != c.schema || table != c.table {
			t.Errorf("%s with %v is table %s of %s, want %s of %s", c.name, c.args, table, inSchema, c.table, c.schema)
		}
	}
}
