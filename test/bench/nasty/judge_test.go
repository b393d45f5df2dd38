package nasty

import "testing"

func TestJudge(t *testing.T) {
	good := File{Columns: []string{"n", "a"}, Rows: []Row{row("1", "x"), row("2", null)}}
	broken := File{}
	for _, tt := range []struct {
		file   File
		failed bool
		made   Table
		want   string
	}{
		{good, false, Table{good.Columns, good.Rows}, "right"},
		{good, true, Table{}, "refused"},
		{good, true, Table{Rows: good.Rows[:1]}, "fails, and leaves 1 rows"},
		{good, false, Table{good.Columns, good.Rows[:1]}, "**1 of 2 rows**"},
		{good, false, Table{[]string{"\ufeffn", "a"}, good.Rows}, "**names columns `\\ufeffn`, `a`**"},
		{good, false, Table{good.Columns, []Row{row("1", "x"), row("2", "")}}, "**row 2 has `` for NULL**"},
		{good, false, Table{good.Columns, []Row{row("1", "x\r\n"), row("2", null)}}, "**row 1 has `x\\r\\n` for `x`**"},
		{good, false, Table{good.Columns, []Row{row("1"), row("2")}}, "**row 1 lacks `x`**"},
		{good, false, Table{good.Columns, []Row{row("1", "x"), row("2")}}, "right"},
		{good, false, Table{good.Columns, []Row{row("1", "x", "y"), row("2", null, null)}}, "**row 1 has `y` besides**"},
		{broken, true, Table{}, "right"},
		{broken, false, Table{Rows: good.Rows}, "**loads 2 rows, and says that is all**"},
		{broken, true, Table{Rows: good.Rows}, "fails, and leaves 2 rows"},
	} {
		if got := tt.file.Judge(tt.failed, tt.made); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.made, got, tt.want)
		}
	}
}

func TestFiles(t *testing.T) {
	files := Files()
	if len(files) != 10 {
		t.Errorf("there are %d files", len(files))
	}
	for _, f := range files {
		for i, r := range f.Rows {
			if r[0] == nil || *r[0] != string(rune('1'+i)) {
				t.Errorf("%s: row %d is not numbered so", f.Name, i+1)
			}
		}
	}
}
