package source

import (
	"io"
	"time"
)

// stallReader notices when its reader is too slow. It counts the time spent waiting in Read only: a consumer that takes
// its time, such as a busy database, is no fault of the server.
type stallReader struct {
	r      io.Reader
	window time.Duration
	enough int64 // bytes that start a new window
	timer  *time.Timer

	waited time.Duration // in this window
	got    int64         // bytes in this window
}

// newStallReader calls stalled from another goroutine when a window of waiting has brought less than rate bytes per
// second; stalled must make a blocked r.Read return, and may be called again.
func newStallReader(r io.Reader, window time.Duration, rate int64, stalled func()) *stallReader {
	enough := max(int64(window.Seconds()*float64(rate)), 1)
	timer := time.AfterFunc(window, stalled)
	timer.Stop() // runs during Read only
	return &stallReader{r: r, window: window, enough: enough, timer: timer}
}

func (s *stallReader) Read(p []byte) (int, error) {
	start := time.Now()
	s.timer.Reset(s.window - s.waited)
	n, err := s.r.Read(p)
	s.timer.Stop()
	s.waited += time.Since(start)
	s.got += int64(n)
	if s.got >= s.enough {
		s.waited, s.got = 0, 0
	}
	return n, err
}
