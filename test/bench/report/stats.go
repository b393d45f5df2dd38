package report

import (
	"cmp"
	"slices"
	"time"
)

// sorted are the values that of takes from each run.
func sorted[T cmp.Ordered](runs []Figures, of func(Figures) T) []T {
	values := make([]T, 0, len(runs))
	for _, run := range runs {
		values = append(values, of(run))
	}
	slices.Sort(values)
	return values
}

// median is the middle one, or halfway between the two in the middle; 0 of nothing.
func median[T ~int64](runs []Figures, of func(Figures) T) T {
	values := sorted(runs, of)
	middle := len(values) / 2
	switch {
	case len(values) == 0:
		return 0
	case len(values)%2 == 0:
		return values[middle-1] + (values[middle]-values[middle-1])/2
	}
	return values[middle]
}

// percentile is the smallest value that as many percent of the runs do not exceed; 0 of nothing.
func percentile[T cmp.Ordered](runs []Figures, percent int, of func(Figures) T) T {
	values := sorted(runs, of)
	if len(values) == 0 {
		var zero T
		return zero
	}
	rank := (len(values)*percent + 99) / 100
	return values[max(rank, 1)-1]
}

// speed is how many times as fast as the base the runs are, by their medians; 0 if that can't be told.
func speed(base, runs []Figures) float64 {
	own := median(runs, wall)
	if own == 0 {
		return 0
	}
	return float64(median(base, wall)) / float64(own)
}

func wall(f Figures) time.Duration    { return f.Wall }
func client(f Figures) time.Duration  { return f.Client }
func rest(f Figures) time.Duration    { return f.Rest }
func backend(f Figures) time.Duration { return f.Server }
func peak(f Figures) int64            { return f.Peak }
