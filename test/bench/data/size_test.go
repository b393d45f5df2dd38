package data

import "testing"

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"10kB": 10_000, "1MB": 1_000_000, "250MB": 250_000_000, "1500kB": 1_500_000} {
		if size, err := ParseSize(text); err != nil || size != want || size.String() != text {
			t.Errorf("%s is %d, %s (%v)", text, size, size, err)
		}
	}
	for _, text := range []string{"", "MB", "-1MB", "0kB", "1.5MB", "10", "10KB", "10GB", "99999999999MB"} {
		if size, err := ParseSize(text); err == nil {
			t.Errorf("%q is %s", text, size)
		}
	}
}
