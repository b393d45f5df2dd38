package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Display shows states, one after the other. It may be used by many goroutines at once.
type Display struct {
	Interval time.Duration // between two lines, where there is no terminal

	out   io.Writer
	width func() int // of the terminal; nil: there is none
	now   func() time.Time

	mu    sync.Mutex
	open  bool // a line was drawn that is not ended
	shown State
	at    time.Time
}

// New returns a display on f. Where that is no terminal, it writes a line at once when what is going on has another name, and else
// one in each interval.
func New(f *os.File, interval time.Duration) *Display {
	d := &Display{out: f, Interval: interval, now: time.Now}
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
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.width != nil {
		_, _ = fmt.Fprintf(d.out, "\r%s\x1b[K", s.drawn(d.width()-1)) // the last column would begin another line
		d.open = true
		return
	}
	now := d.now()
	if s.Name == d.shown.Name && now.Sub(d.at) < d.Interval {
		return
	}
	d.shown, d.at = s, now
	_, _ = fmt.Fprintln(d.out, s)
}

// End leaves the last state where it is, and lets what follows begin a line.
func (d *Display) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
}

// Say writes a line between two states.
func (d *Display) Say(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
	_, _ = fmt.Fprintln(d.out, text)
}

func (d *Display) end() {
	if d.open {
		_, _ = fmt.Fprintln(d.out)
		d.open = false
	}
}
