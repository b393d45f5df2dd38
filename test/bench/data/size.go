package data

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, of which it takes a thousand to make a kilobyte.
type Size int64

// Units of sizes.
const (
	Kilobyte Size = 1_000
	Megabyte Size = 1_000_000
)

// ParseSize reads a size such as 10kB or 250MB.
func ParseSize(text string) (Size, error) {
	for _, unit := range []struct {
		name string
		size Size
	}{{"kB", Kilobyte}, {"MB", Megabyte}} {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || n < 1 {
			break
		}
		return Size(n) * unit.size, nil
	}
	return 0, fmt.Errorf("%q is no size such as 10kB or 250MB", text)
}

func (s Size) String() string {
	if s >= Megabyte && s%Megabyte == 0 {
		return strconv.FormatInt(int64(s/Megabyte), 10) + "MB"
	}
	return strconv.FormatInt(int64(s/Kilobyte), 10) + "kB"
}
