package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// BadRows is how many bad rows a job may reject: a count, or a percentage of the rows read. The zero value allows none.
// In JSON it is a whole number such as 10, or a text such as "2.5%".
type BadRows struct {
	Count   int64   // 0 when Percent is stated
	Percent float64 // more than 0 and at most 100; 0 when Count is what counts
}

var errBadRows = errors.New(`not a whole number of rows from 0 on, nor a percentage such as "2.5%" above 0 and up to 100`)

// MarshalJSON fails for what UnmarshalJSON would refuse.
func (b BadRows) MarshalJSON() ([]byte, error) {
	percentage := b.Percent != 0
	switch {
	case b.Count < 0, percentage && b.Count != 0, percentage && !isPercentage(b.Percent):
		return nil, fmt.Errorf("%d rows, %g %%: %w", b.Count, b.Percent, errBadRows)
	case percentage:
		return json.Marshal(strconv.FormatFloat(b.Percent, 'f', -1, 64) + "%")
	}
	return strconv.AppendInt(nil, b.Count, 10), nil
}

// UnmarshalJSON reads a count or a percentage.
func (b *BadRows) UnmarshalJSON(data []byte) error {
	if string(data) == "null" { // changes nothing, as everywhere in encoding/json
		return nil
	}
	if !bytes.HasPrefix(data, []byte(`"`)) {
		count, err := strconv.ParseInt(string(data), 10, 64)
		if err != nil || count < 0 {
			return errBadRows
		}
		*b = BadRows{Count: count}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	percent, err := parsePercentage(text)
	if err != nil {
		return err
	}
	*b = BadRows{Percent: percent}
	return nil
}

// parsePercentage takes plain decimals only: strconv would also take exponents, signs, hex digits and words.
func parsePercentage(text string) (float64, error) {
	number, found := strings.CutSuffix(text, "%")
	whole, fraction, dotted := strings.Cut(number, ".")
	if !found || !isDigits(whole) || dotted && !isDigits(fraction) {
		return 0, errBadRows
	}
	percent, err := strconv.ParseFloat(number, 64)
	if err != nil || !isPercentage(percent) {
		return 0, errBadRows
	}
	return percent, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isPercentage(f float64) bool {
	return !math.IsNaN(f) && f > 0 && f <= 100
}
