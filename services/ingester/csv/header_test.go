package csv_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/pkg/events"
	"sluice/services/ingester/csv"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		name   string
		header string
		want   string // name of each column and, where there is one, the rule
	}{
		{"as they are", "a, B ,ünï-cødé,名前,a b,1,select", "a| B |ünï-cødé|名前|a b|1|select"},
		{"blank", "a,, ,\"\",\u00a0\t", "a|column_2:blank|column_3:blank|column_4:blank|column_5:blank"},
		{"blank beside its name", "column_2,,column_3", "column_2|column_2_2:blank|column_3"},
		{"blank before its name", ",column_1,COLUMN_1_2", "column_1_3:blank|column_1|COLUMN_1_2"},
		{"duplicates", "a,b,a,a,b", "a|b|a_2:duplicate|a_3:duplicate|b_2:duplicate"},
		{"duplicates in case", "Name,name,NAME", "Name|name_2:duplicate|NAME_3:duplicate"},
		{"duplicates in case beyond ASCII", "Größe,GRÖßE", "Größe|GRÖßE_2:duplicate"},
		{"a duplicate beside its name", "a,a,a_2", "a|a_3:duplicate|a_2"},
		{"a duplicate beside its name in case", "a,A,A_2,a_3", "a|A_4:duplicate|A_2|a_3"},
		{"a duplicate of a duplicate's name", "a,a_2,a,a_2", "a|a_2|a_3:duplicate|a_2_2:duplicate"},
		{"spaces make a difference", "a, a,a ", "a| a|a "},
		{"reserved", "ctid,xmin,xmax,cmin,cmax,tableoid", "ctid_:reserved|xmin_:reserved|xmax_:reserved|cmin_:reserved|cmax_:reserved|tableoid_:reserved"},
		{"not reserved", "CTID,oid,xmin_", "CTID|oid|xmin_"},
		{"reserved beside its name", "ctid,ctid_,CTID", "ctid__2:reserved|ctid_|CTID"},
		{"reserved twice", "xmin,xmin", "xmin_:reserved|xmin__2:reserved"},
		{"63 bytes", long[:63], long[:63]},
		{"64 bytes", long, long[:54] + "_7ce10097:too_long"},
		{"64 bytes twice", long + "," + long, ""},
		{"alike in 63 bytes", long + "1," + long + "2", ""},
		{"characters over the cut", strings.Repeat("é", 40) + ",x" + strings.Repeat("é", 40) + "," + strings.Repeat("😀", 20), ""},
		{"a duplicate of 63 bytes", long[:63] + "," + long[:63], long[:63] + "|" + long[:61] + "_2:duplicate"},
		{"long duplicates of one stem", long[:63] + "," + long[:61] + "_2," + long[:63], long[:63] + "|" + long[:61] + "_2|" + long[:61] + "_3:duplicate"},
		{"a reserved name's start", strings.Repeat(" ", 70), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			columns, err := csv.NewReader(strings.NewReader(c.header+"\n"), csv.DefaultOptions()).Columns()
			if err != nil {
				t.Fatal(err)
			}
			checkNames(t, columns)
			if got := showRules(columns); c.want != "" && got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func showRules(columns []events.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
		if c.Rule != "" {
			list[i] += ":" + c.Rule
		}
	}
	return strings.Join(list, "|")
}

// checkNames checks what Postgres asks of the names of a table's columns.
func checkNames(t *testing.T, columns []events.Column) {
	t.Helper()
	seen := map[string]bool{}
	for i, c := range columns {
		key := strings.ToLower(c.Name)
		switch {
		case c.Name == "" || len(c.Name) > 63 || !utf8.ValidString(c.Name):
			t.Errorf("column %d: %q is not a name", i+1, c.Name)
		case seen[key]:
			t.Errorf("column %d: %q is a name already", i+1, c.Name)
		case c.Type != "text":
			t.Errorf("column %d: the type is %q", i+1, c.Type)
		case (c.Rule == "") != (c.Name == c.Original):
			t.Errorf("column %d: rule %q, but %q became %q", i+1, c.Rule, c.Original, c.Name)
		case len(c.Original) > 256 || !utf8.ValidString(c.Original):
			t.Errorf("column %d: the original is %q", i+1, c.Original)
		}
		switch c.Name {
		case "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid":
			t.Errorf("column %d: %q is taken by Postgres", i+1, c.Name)
		}
		seen[key] = true
	}
}

func TestLongNamesKeepTheirStart(t *testing.T) {
	t.Parallel()
	cell := "x" + strings.Repeat("é", 200)
	columns, err := csv.NewReader(strings.NewReader(cell), csv.DefaultOptions()).Columns()
	if err != nil {
		t.Fatal(err)
	}
	c := columns[0]
	if want := "x" + strings.Repeat("é", 127); c.Original != want { // 255 bytes, as 256 would cut a character
		t.Errorf("the original is %q", c.Original)
	}
	if !strings.HasPrefix(c.Name, "x"+strings.Repeat("é", 26)+"_") || c.Rule != "too_long" {
		t.Errorf("the column is %+v", c)
	}
}

func TestManyDuplicates(t *testing.T) {
	t.Parallel()
	header := strings.TrimSuffix(strings.Repeat("a,", 1600), ",")
	columns, err := csv.NewReader(strings.NewReader(header), csv.DefaultOptions()).Columns()
	if err != nil {
		t.Fatal(err)
	}
	checkNames(t, columns)
	if last := columns[1599].Name; last != "a_1600" {
		t.Errorf("the last name is %q", last)
	}
}

func TestGeneratedColumns(t *testing.T) {
	t.Parallel()
	opts := csv.DefaultOptions()
	opts.Dialect.HeaderRows = 0
	columns, err := csv.NewReader(strings.NewReader("x,y"), opts).Columns()
	want := []events.Column{
		{Name: "column_1", Type: "text", Rule: "generated"}, {Name: "column_2", Type: "text", Rule: "generated"},
	}
	if err != nil || !slices.Equal(columns, want) {
		t.Errorf("got %+v, %v, want %+v", columns, err, want)
	}
}
