package types

import (
	"encoding/json"
	"fmt"
)

// maxColumns is how many columns a table of Postgres may have, so no list of them is longer.
const maxColumns = 1600

// Columns are those of a table, in its order.
//
// As JSON they are an array of numbers: 0 for a column without values, the bits of what all values fit for others, and -n
// for n columns in a row that are text.
type Columns []Column

// Join adds what others have seen. It fails if they are not as many.
func (c Columns) Join(others Columns) error {
	if len(c) != len(others) {
		return fmt.Errorf("joining %d columns with %d", len(c), len(others))
	}
	for n, other := range others {
		c[n] = c[n].Join(other)
	}
	return nil
}

// MarshalJSON never fails.
func (c Columns) MarshalJSON() ([]byte, error) {
	numbers := make([]int64, 0, 8)
	texts := false // at the end
	for _, column := range c {
		switch {
		case texts && column.IsText():
			numbers[len(numbers)-1]--
		default:
			numbers = append(numbers, column.number())
			texts = column.IsText()
		}
	}
	return json.Marshal(numbers)
}

// UnmarshalJSON fails for what no columns can be, nor more than a table may have.
func (c *Columns) UnmarshalJSON(text []byte) error {
	var numbers []*int64 // null is not 0
	if err := json.Unmarshal(text, &numbers); err != nil {
		return fmt.Errorf("reading the state of columns: %w", err)
	}
	if numbers == nil {
		return errState
	}
	columns := make(Columns, 0, len(numbers))
	for _, number := range numbers {
		if number == nil {
			return errState
		}
		n, run := *number, int64(1)
		if n < 0 {
			run, n = -n, -1
		}
		if run < 0 || run > maxColumns-int64(len(columns)) {
			return fmt.Errorf("reading the state of columns: there are over %d", maxColumns)
		}
		column, err := columnOf(n)
		if err != nil {
			return err
		}
		for range run {
			columns = append(columns, column)
		}
	}
	*c = columns
	return nil
}

// MarshalJSON encodes as in [Columns]. It never fails.
func (c Column) MarshalJSON() ([]byte, error) { return json.Marshal(c.number()) }

// UnmarshalJSON fails for what no column can be.
func (c *Column) UnmarshalJSON(text []byte) error {
	var n *int64
	if err := json.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("reading the state of a column: %w", err)
	}
	if n == nil {
		return errState
	}
	column, err := columnOf(*n)
	if err != nil {
		return err
	}
	*c = column
	return nil
}

func (c Column) number() int64 {
	switch c.lost {
	case anything:
		return -1
	case 0:
		return 0
	}
	return int64(anything &^ c.lost)
}

func columnOf(n int64) (Column, error) {
	switch {
	case n == -1:
		return Column{lost: anything}, nil
	case n == 0:
		return Column{}, nil
	case n < 0 || n > int64(every):
		return Column{}, errState
	}
	fits := set(n)
	if !fits.possible() {
		return Column{}, errState
	}
	return Column{lost: anything &^ fits}, nil
}
