package cli

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

func TestFollow(t *testing.T) {
	for _, c := range []struct {
		there, page, wanted int // how many there are, how many a page has at the most
		sizes               []int
		more                bool
	}{
		{0, 1000, 50, []int{50}, false},
		{10, 1000, 50, []int{50}, false},
		{60, 1000, 50, []int{50}, true},
		{50, 1000, 50, []int{50}, false},
		{60, 20, 50, []int{50, 30, 10}, true}, // a page may have less than was asked for
		{2500, 1000, 0, []int{1000, 1000, 1000}, false},
		{2500, 1000, 2000, []int{1000, 1000}, true},
	} {
		var sizes []int
		given := 0
		more, err := follow(c.wanted, func(size int, cursor *string) (int, *string, error) {
			if (cursor == nil) != (given == 0) {
				t.Errorf("%+v: the cursor is %v after %d", c, cursor, given)
			}
			sizes = append(sizes, size)
			n := min(size, c.page, c.there-given)
			if given += n; given < c.there {
				return n, new("next"), nil
			}
			return n, nil, nil
		})
		if err != nil || more != c.more || !slices.Equal(sizes, c.sizes) {
			t.Errorf("%+v: asked for %v, more %t, %v", c, sizes, more, err)
		}
	}
	broken := errors.New("broken")
	if _, err := follow(0, func(int, *string) (int, *string, error) { return 0, nil, broken }); !errors.Is(err, broken) {
		t.Errorf("it failed with %v", err)
	}
}

func TestDocument(t *testing.T) {
	d := document{list: "rows"}
	for _, page := range []string{
		`{"rows":[{"z":1,"a":"x"},{"z":1.50}],"next_cursor":"c","totals":{"b":1}}`,
		`{"rows":[{"z":12345678901234567890}],"totals":{"b":2}}`,
	} {
		if err := d.add(json.RawMessage(page)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(d.bytes()), `{"rows":[{"z":1,"a":"x"},{"z":1.50},{"z":12345678901234567890}],"totals":{"b":2}}`; got != want {
		t.Errorf("together %s, want %s", got, want)
	}
	for _, page := range []string{``, `[]`, `{"rows":1}`, `{"rows":`} {
		if err := d.add(json.RawMessage(page)); err == nil {
			t.Errorf("%q is taken for a page", page)
		}
	}
}
