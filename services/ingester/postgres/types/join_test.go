package types_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"sluice/services/ingester/postgres/types"
)

// drawState is what a column of some values may be.
func drawState() *rapid.Generator[types.Column] {
	return rapid.Custom(func(t *rapid.T) types.Column {
		values := drawColumn().Draw(t, "values")
		if rapid.IntRange(0, 5).Draw(t, "text") == 0 {
			values = append(values, "x")
		}
		return observed(values...)
	})
}

func TestJoin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawState().Draw(t, "a"), drawState().Draw(t, "b"), drawState().Draw(t, "c")
		if a.Join(b) != b.Join(a) {
			t.Errorf("the order matters of %s and %s", typeOf(a), typeOf(b))
		}
		if a.Join(b).Join(c) != a.Join(b.Join(c)) {
			t.Errorf("it matters which of %s, %s and %s come first together", typeOf(a), typeOf(b), typeOf(c))
		}
		if a.Join(a) != a || a.Join(types.Column{}) != a || !a.Join(observed("x")).IsText() {
			t.Errorf("%s with itself is %s", typeOf(a), typeOf(a.Join(a)))
		}
	})
}

// TestJoinIsObserve observes values apart, in another order and again.
func TestJoinIsObserve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.OneOf(drawColumn(), rapid.SliceOfN(drawValue(), 0, 3)).Draw(t, "values")
		want := observed(values...)
		got := observed(values[:len(values)/2]...)
		var apart types.Column
		for _, value := range rapid.Permutation(values).Draw(t, "permutation") {
			apart = observed(value).Join(apart)
			got.Observe([]byte(value))
		}
		if apart != want || got != want {
			t.Errorf("%q is %s, and %s when observed apart, %s when again", values, typeOf(want), typeOf(apart), typeOf(got))
		}
	})
}

func TestJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := types.Columns(rapid.SliceOf(drawState()).Draw(t, "columns"))
		text, err := json.Marshal(columns)
		if err != nil {
			t.Fatal(err)
		}
		var got types.Columns
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(got) != len(columns) {
			t.Fatalf("%s is %d columns, want %d", text, len(got), len(columns))
		}
		for n := range columns {
			if got[n] != columns[n] {
				t.Errorf("%s: %s is %s", text, typeOf(columns[n]), typeOf(got[n]))
			}
			single, err := json.Marshal(columns[n])
			if err != nil {
				t.Fatal(err)
			}
			var column types.Column
			if err := json.Unmarshal(single, &column); err != nil || column != columns[n] {
				t.Errorf("%s is %s: %v", single, typeOf(column), err)
			}
		}
	})
}

// TestJSONStays holds what ledgers keep: a state that was written by an earlier version means the same.
func TestJSONStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		values []string
	}{
		{"0", nil},
		{"-1", []string{""}},
		{"1", []string{"true"}},
		{"2", []string{"t"}},
		{"124", []string{"1"}},
		{"120", []string{"32768"}},
		{"112", []string{"2147483648"}},
		{"48", []string{"9223372036854775807"}},
		{"32", []string{"1.50"}},
		{"96", []string{"1.5"}},
		{"64", []string{"1e+20"}},
		{"128", []string{"2024-01-01"}},
		{"2304", []string{"12:34:56"}},
		{"6400", []string{"12:34:56.5"}},
		{"33024", []string{"12:34:56.1230"}},
		{"264704", []string{"2024-01-01 00:00:00"}},
		{"528896", []string{"2024-01-01T00:00:00.0"}},
		{"1313792", []string{"2024-01-01 00:00:00+00"}},
		{"2753536", []string{"2024-01-01T00:00:00.000000Z", "2024-01-01T00:00:00.123450Z"}},
		{"4459520", []string{"2024-01-01 00:00:00+00:00"}},
		{"8388608", []string{"01a1ff8e-7160-7994-90cf-204ee61cbd5a"}},
		{"16777216", []string{"01A1FF8E-7160-7994-90CF-204EE61CBD5A"}},
		{"25165824", []string{"00000000-0000-0000-0000-000000000000"}},
		{"33554432", []string{"[]"}},
	} {
		if got, err := json.Marshal(observed(c.values...)); err != nil || string(got) != c.text {
			t.Errorf("%q is %s, want %s: %v", c.values, got, c.text, err)
		}
	}
	columns := types.Columns{{}, observed("x"), observed("x"), observed("1"), observed("x"), {}}
	if got, err := json.Marshal(columns); err != nil || string(got) != "[0,-2,124,-1,0]" {
		t.Errorf("columns are %s: %v", got, err)
	}
	if got, err := json.Marshal(types.Columns(nil)); err != nil || string(got) != "[]" {
		t.Errorf("no columns are %s: %v", got, err)
	}
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"null", "true", `"124"`, "1.5", "-2", "3", "4", "116", "256", "512", "1024", "2048", "786432", "264192", "6656", "29056", "67108864", "4294967296",
		"-9223372036854775808", "9223372036854775808", "[]",
	} {
		var column types.Column
		if err := json.Unmarshal([]byte(text), &column); err == nil {
			t.Errorf("%s is %s", text, typeOf(column))
		}
	}
	for _, text := range []string{
		"null", "{}", "[null]", "[3]", "[1.5]", `["1"]`, "[-1601]", "[-1600,0]", "[-9223372036854775808]", "[[1]]", "0",
	} {
		columns := types.Columns{observed("1")}
		if err := json.Unmarshal([]byte(text), &columns); err == nil {
			t.Errorf("%s is %d columns", text, len(columns))
		}
	}
	var columns types.Columns
	if err := json.Unmarshal([]byte("[-1600]"), &columns); err != nil || len(columns) != 1600 {
		t.Errorf("%d columns of text: %v", len(columns), err)
	}
	if err := columns.Join(columns[1:]); err == nil {
		t.Error("columns are joined with fewer")
	}
}
