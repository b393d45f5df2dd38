package report

import (
	"testing"
	"time"
)

// runs of so many seconds each.
func runs(seconds ...float64) []Figures {
	var list []Figures
	for _, s := range seconds {
		list = append(list, Figures{Wall: time.Duration(s * float64(time.Second))})
	}
	return list
}

func TestMedian(t *testing.T) {
	for want, of := range map[time.Duration][]Figures{
		0:                       nil,
		4 * time.Second:         runs(4),
		1500 * time.Millisecond: runs(2, 1),
		3 * time.Second:         runs(9, 1, 3),
		2500 * time.Millisecond: runs(100, 2, 3, 1),
	} {
		if got := median(of, wall); got != want {
			t.Errorf("the median of %v is %s, want %s", of, got, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	var hundred []Figures
	for n := 100; n > 0; n-- {
		hundred = append(hundred, runs(float64(n))...)
	}
	for percent, want := range map[int]time.Duration{0: time.Second, 50: 50 * time.Second, 95: 95 * time.Second, 100: 100 * time.Second} {
		if got := percentile(hundred, percent, wall); got != want {
			t.Errorf("the %dth percentile is %s, want %s", percent, got, want)
		}
	}
	if got := percentile(runs(1, 2, 3), 95, wall); got != 3*time.Second {
		t.Errorf("of three it is %s", got)
	}
	if got := percentile(nil, 95, wall); got != 0 {
		t.Errorf("of none it is %s", got)
	}
}

func TestSpeed(t *testing.T) {
	if got := speed(runs(4, 4, 9), runs(2, 1, 2)); got != 2 {
		t.Errorf("half the time is a speed of %g", got)
	}
	if got := speed(runs(4), nil); got != 0 {
		t.Errorf("nothing has a speed of %g", got)
	}
}
