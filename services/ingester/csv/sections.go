package csv

import (
	"io"

	"sluice/pkg/events"
)

// Sections hands out sections of a file that comes in one stream, in ascending order. The reader of each may look at what
// lies behind its end; what it has looked at there is kept for the next one.
type Sections struct {
	src   io.Reader
	next  int64  // offset in the file of the next byte that Read returns
	came  int64  // offset of the next byte of src
	end   int64  // of the section; 0 for the end of the file
	ahead []byte // the last bytes that src has brought, up to came
}

// NewSections returns the sections of a file whose stream begins at a byte offset.
func NewSections(src io.Reader, offset int64) *Sections {
	return &Sections{src: src, next: offset, came: offset}
}

// Enter goes on to the section that begins and ends at these byte offsets, behind the one before; an end of 0 is that of the
// file. It fails with [ErrMoved] if the file ends before the section, and with the stream's own error.
func (s *Sections) Enter(from, end int64) error {
	again := s.came - from // bytes that have come already
	switch {
	case again > int64(len(s.ahead)) || end != 0 && end < from:
		return events.Failf(events.CodeInternal, "the section from byte %d to byte %d does not lie behind the one before", from, end)
	case again > 0:
		s.ahead = s.ahead[len(s.ahead)-int(again):]
	default:
		n, err := io.CopyN(io.Discard, s.src, -again)
		s.came, s.ahead = s.came+n, nil
		if isEnd(err) {
			return ErrMoved
		}
		if err != nil {
			return err
		}
	}
	s.next, s.end = from, end
	return nil
}

// Ahead is how many bytes Read returns without asking the stream.
func (s *Sections) Ahead() int { return int(s.came - s.next) }

// Read implements [io.Reader]. It goes on behind the end of the section, as the file does.
func (s *Sections) Read(p []byte) (int, error) {
	if n := s.Ahead(); n > 0 {
		n = copy(p, s.ahead[len(s.ahead)-n:])
		s.next += int64(n)
		return n, nil
	}
	n, err := s.src.Read(p)
	s.keep(p[:n])
	s.came += int64(n)
	s.next = s.came
	return n, err
}

// keep keeps what has come that lies behind the section.
func (s *Sections) keep(fresh []byte) {
	if s.end == 0 {
		s.ahead = nil
		return
	}
	if before := s.end - s.came; before > 0 {
		s.ahead, fresh = s.ahead[:0], fresh[min(before, int64(len(fresh))):]
	}
	s.ahead = append(s.ahead, fresh...)
}
