package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Display shows states, one after the other.
type Display struct {
	out      io.Writer
	width    func() int // of the terminal; nil: there is none
	interval time.Duration
	now      func() time.Time

	open  bool // a line was drawn that is not ended
	shown State
	at    time.Time
}

// New returns a display on f. Where that is no terminal, it writes a line at once when what is going on has another name, and else
// one in each interval.
func New(f *os.File, interval time.Duration) *Display {
	d := &Display{out: f, interval: interval, now: time.Now}
	if term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		d.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return 80
			}
			return width
		}
	}
	return d
}

// Show shows a state. What cannot be written is not: progress is not the outcome.
func (d *Display) Show(s State) {
	if d.width != nil {
		_, _ = fmt.Fprintf(d.out, "\r%s\x1b[K", s.drawn(d.width()-1)) // the last column would begin another line
		d.open = true
		return
	}
	now := d.now()
	if s.Name == d.shown.Name && now.Sub(d.at) < d.interval {
		return
	}
	d.shown, d.at = s, now
	_, _ = fmt.Fprintln(d.out, s)
}

// End leaves the last state where it is, and lets what follows begin a line.
func (d *Display) End() {
	if d.open {
		_, _ = fmt.Fprintln(d.out)
		d.open = false
	}
}
