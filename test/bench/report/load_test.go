package report

import "testing"

func TestLoad(t *testing.T) {
	for text, want := range map[string]string{
		"0.50 1.25 2.00 1/234 5678\n": "Load averages before: 0.50, 1.25, 2.00.",
		"0.51 0.00 0.00 1/234 5678\n": "Load averages before: 0.51, 0.00, 0.00.\n" +
			"**The machine had other work to do: these figures are provisional.**",
	} {
		if l, err := parseLoad(text); err != nil || l.String() != want {
			t.Errorf("%q is told as %q (%v)", text, l, err)
		}
	}
	for _, text := range []string{"", "0.5 0.5", "a b c"} {
		if l, err := parseLoad(text); err == nil {
			t.Errorf("%q is %v", text, l)
		}
	}
}
