package types_test

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// drawValue is a value around the edges of every type.
func drawValue() *rapid.Generator[string] {
	return rapid.OneOf(
		drawWhole(), drawDecimal(), drawDouble(), drawDigits(), drawMoment(), drawUUID(), drawJSON(),
		rapid.Custom(func(t *rapid.T) string { return mutated(t, drawKnown().Draw(t, "value")) }),
		rapid.Custom(func(t *rapid.T) string {
			return mutated(t, rapid.OneOf(drawDouble(), drawDecimal(), drawMoment(), drawJSON(), drawUUID()).Draw(t, "value"))
		}),
	)
}

// drawKnown is one of the values of the cases.
func drawKnown() *rapid.Generator[string] {
	var known []string
	for _, c := range columnCases() {
		for _, value := range c.values {
			if len(value) < 200 {
				known = append(known, value)
			}
		}
	}
	return rapid.SampledFrom(known)
}

// mutated changes a character or two.
func mutated(t *rapid.T, value string) string {
	const with = "0123456789+-.eE: TZtfabnuxF{}[]\",\\/"
	for range rapid.IntRange(1, 2).Draw(t, "mutations") {
		at := rapid.IntRange(0, len(value)).Draw(t, "at")
		c := string(with[rapid.IntRange(0, len(with)-1).Draw(t, "character")])
		switch rapid.IntRange(0, 2).Draw(t, "mutation") {
		case 0:
			value = value[:at] + c + value[at:]
		case 1:
			value = value[:at] + value[min(at+1, len(value)):]
		default:
			value = value[:at] + c + value[min(at+1, len(value)):]
		}
	}
	return strings.ToValidUTF8(value, "?")
}

func drawWhole() *rapid.Generator[string] {
	edges := []int64{
		0, math.MinInt16, math.MaxInt16, math.MinInt32, math.MaxInt32, math.MinInt64, math.MaxInt64, 1e14, 1e15, 1e16, 1e18, -1e15, 1 << 53,
	}
	return rapid.Custom(func(t *rapid.T) string {
		n := rapid.SampledFrom(edges).Draw(t, "edge")
		text := strconv.FormatInt(n+rapid.Int64Range(-2, 2).Draw(t, "beside"), 10) // wraps around at the ends
		return text + strings.Repeat("0", rapid.SampledFrom([]int{0, 0, 0, 1, 5, 30}).Draw(t, "zeros"))
	})
}

func drawDecimal() *rapid.Generator[string] {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})\.(0{0,6}[0-9]{0,9}|[0-9]{10,18})`)
}

// drawDouble is a double near what is written in another way, in the forms of Go and of Postgres.
func drawDouble() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var f float64
		switch rapid.IntRange(0, 5).Draw(t, "double") {
		case 0:
			f = math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		case 1: // beside a power of 2
			f = math.Ldexp(1, rapid.IntRange(-1022, 1023).Draw(t, "exponent"))
		case 2: // short
			f, _ = strconv.ParseFloat(fmt.Sprintf("%de%d", rapid.IntRange(-99999, 99999).Draw(t, "digits"), rapid.IntRange(-30, 40).Draw(t, "exponent")), 64)
		case 3: // between quarters and halves, where two short numbers are as near
			f = float64(rapid.Int64Range(1<<48, 1<<56).Draw(t, "eighths")) / 8
		case 4:
			f = rapid.SampledFrom([]float64{0, 1e-4, 1e-5, 1e14, 1e15, 1e16, 1e22, 1e23, 1 << 53, 1 << 62, math.MaxFloat64, 0x1p-1022}).Draw(t, "edge")
		default:
			f = rapid.Float64Range(-200, 200).Draw(t, "coordinate")
		}
		for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "beside") {
			f = math.Nextafter(f, rapid.SampledFrom([]float64{0, math.MaxFloat64}).Draw(t, "towards"))
		}
		format := rapid.SampledFrom([]byte{'e', 'f', 'g'}).Draw(t, "format")
		if format == 'f' && (math.Abs(f) > 1e30 || math.Abs(f) < 1e-30) {
			format = 'e'
		}
		return strconv.FormatFloat(f, format, rapid.SampledFrom([]int{-1, -1, -1, 15, 16}).Draw(t, "precision"), 64)
	})
}

// drawDigits is any number with an exponent, as long as doubles are: most of the longer ones are not written by anyone.
func drawDigits() *rapid.Generator[string] {
	return rapid.StringMatching(`-?[1-9](\.[0-9]{0,15}[1-9])?e(\+(1[5-9]|[2-9][0-9]|[12][0-9]{2})|-(0[5-9]|[1-9][0-9]|[12][0-9]{2}))`)
}

func drawMoment() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		number := func(what string, width, most int) string {
			n := rapid.OneOf(rapid.IntRange(0, most+1), rapid.SampledFrom([]int{0, 1, most})).Draw(t, what)
			return fmt.Sprintf("%0*d", width, n)
		}
		day := number("year", 4, 9999) + "-" + number("month", 2, 12) + "-" + number("day", 2, 31)
		clock := number("hour", 2, 23) + ":" + number("minute", 2, 59) + ":" + number("second", 2, 59)
		if rapid.Bool().Draw(t, "fraction") {
			clock += "." + rapid.StringMatching(`([0-9]{1,7}|[0-9]{0,3}0{1,3}|9{5,6})`).Draw(t, "of a second")
		}
		zone := rapid.SampledFrom([]string{"", "", "+00", "Z", "+00:00", "+01", "-00", "+05:30", "z", "+00:00:00"}).Draw(t, "zone")
		switch rapid.IntRange(0, 4).Draw(t, "moment") {
		case 0:
			return day
		case 1:
			return clock
		case 2:
			return day + "T" + clock + zone
		case 3:
			return clock + zone
		}
		return day + " " + clock + zone
	})
}

func drawUUID() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}`),
		rapid.StringMatching(`[0-9]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}`),
	)
}

// drawJSON is an object or an array with the spaces of jsonb, and what else a program may write.
func drawJSON() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		top := []int{5, 6}
		text := written(t, rapid.SampledFrom(top).Draw(t, "top"), 3)
		if rapid.IntRange(0, 9).Draw(t, "compact") == 0 {
			text = strings.ReplaceAll(text, ", ", ",")
		}
		return text
	})
}

func written(t *rapid.T, kind, depth int) string {
	str := func() string {
		text := rapid.StringMatching(`[a-c]{0,3}|[ -~]{0,4}|[\x01-\x1f"\\/]{1,2}|[é€𝄞]{1,2}`).Draw(t, "string")
		switch rapid.IntRange(0, 9).Draw(t, "escapes") {
		case 0:
			return strconv.QuoteToASCII(text)
		case 1:
			encoded, _ := json.Marshal(text) // escapes more than Postgres does
			return string(encoded)
		}
		var b strings.Builder
		for _, r := range text {
			if at := strings.IndexRune("\"\\\b\f\n\r\t", r); at >= 0 {
				b.WriteString(`\` + `"\bfnrt`[at:at+1])
			} else if r < ' ' {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
		return `"` + b.String() + `"`
	}
	next := func() string {
		if depth == 0 {
			return written(t, rapid.IntRange(0, 4).Draw(t, "leaf"), 0)
		}
		return written(t, rapid.IntRange(0, 6).Draw(t, "kind"), depth-1)
	}
	var parts []string
	switch kind {
	case 0, 1:
		return str()
	case 2:
		return rapid.OneOf(drawWhole(), drawDecimal(), drawDouble()).Draw(t, "number")
	case 3, 4:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
	case 5:
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			parts = append(parts, next())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	keys := make([]string, rapid.IntRange(0, 3).Draw(t, "keys"))
	for n := range keys {
		keys[n] = str()
	}
	if rapid.IntRange(0, 9).Draw(t, "sorted") > 0 {
		sort.Slice(keys, func(i, j int) bool {
			return len(keys[i]) < len(keys[j]) || len(keys[i]) == len(keys[j]) && keys[i] < keys[j]
		})
	}
	for _, key := range keys {
		parts = append(parts, key+": "+next())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
