// Package progress shows how far something is: on a terminal as a bar that moves, elsewhere as a line now and then.
package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// State is how far it is.
type State struct {
	Name    string // what is shown first, such as the phase of a job
	Note    string // what else is to be known, such as a place in the queue
	Bytes   int64
	Total   *int64   // bytes; nil: not known
	Percent *float64 // 0 to 100; nil: not known
	Rows    int64
	Rate    *int64 // bytes per second
	ETA     *int64 // seconds
}

// parts are what there is to say, from left to right; the bar stands behind the first.
func (s State) parts() []string {
	parts := []string{}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if s.Percent != nil {
		add("%5.1f%%", *s.Percent)
	}
	switch {
	case s.Total != nil && *s.Total > 0:
		add("%s of %s", Bytes(s.Bytes), Bytes(*s.Total))
	case s.Bytes > 0:
		add("%s", Bytes(s.Bytes))
	}
	switch {
	case s.Rows == 1:
		add("1 row")
	case s.Rows > 1:
		add("%s rows", Number(s.Rows))
	}
	if s.Rate != nil && *s.Rate > 0 {
		add("%s/s", Bytes(*s.Rate))
	}
	if s.ETA != nil {
		add("ETA %s", Duration(time.Duration(*s.ETA)*time.Second))
	}
	if s.Note != "" {
		add("%s", s.Note)
	}
	return parts
}

// String is the state on a line.
func (s State) String() string {
	return strings.Join(append([]string{s.Name}, trimmed(s.parts())...), "  ")
}

func trimmed(parts []string) []string {
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

const (
	nameWidth = 10
	barWidth  = 30
	leastBar  = 8
)

// drawn is the state on a line of a terminal that is so many characters wide. What does not fit is left out from the right.
func (s State) drawn(width int) string {
	parts := s.parts()
	line := fmt.Sprintf("%-*s", nameWidth, s.Name)
	rest := strings.Join(parts, "  ")
	if s.Percent != nil {
		if room := width - len([]rune(line)) - len([]rune(rest)) - 4; room >= leastBar {
			line += " " + bar(*s.Percent, min(barWidth, room)) + " "
		}
	}
	line = strings.TrimRight(line+" "+rest, " ")
	if runes := []rune(line); len(runes) > width {
		line = string(runes[:width])
	}
	return line
}

// bar is a bar of this width that is filled in part.
func bar(percent float64, width int) string {
	inner := width - 2
	full := min(max(int(percent/100*float64(inner)), 0), inner)
	tip := ""
	if full < inner {
		tip = ">"
	}
	return "[" + strings.Repeat("=", full) + tip + strings.Repeat(" ", inner-full-len(tip)) + "]"
}

// Bytes is a size for people, in powers of 1000.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		value /= 1000
		if value < 999.95 {
			return fmt.Sprintf("%.1f %s", value, unit)
		}
	}
	return fmt.Sprintf("%.1f PB", value/1000)
}

// Duration is a time for people: 850ms, 2.3s, 4m10s, 3h05m.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Number is a number with commas between groups of three digits.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
