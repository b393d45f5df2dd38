package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// maxLine is how long a line of a stream of events may be, in bytes.
const maxLine = 4 << 20

// frame is a server-sent event.
type frame struct {
	id    string // of the last event that had one
	kind  string // message, if nothing is said
	data  []byte
	retry time.Duration // how soon to come again; 0: nothing was said yet
}

var errLongLine = errors.New("a line of a stream of events is too long")

// frames reads a stream of server-sent events (HTML Living Standard, 9.2.6) to its end. Its last item has the error, unless that
// is [io.EOF]. An event that was cut off is left out. Events without data are given, too, as their ids count.
func frames(r io.Reader) iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), maxLine)
		lines.Split(anyLine)
		var f frame
		begun := false
		for first := true; lines.Scan(); first = false {
			line := lines.Text()
			if first {
				line = strings.TrimPrefix(line, "\uFEFF")
			}
			if line != "" {
				begun = f.field(line) || begun
				continue
			}
			if begun && !yield(f.told(), nil) {
				return
			}
			f, begun = frame{id: f.id, retry: f.retry}, false
		}
		err := lines.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = errLongLine
		}
		if err != nil {
			yield(frame{}, err)
		}
	}
}

// field takes a line, and tells whether it says something.
func (f *frame) field(line string) bool {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "event":
		f.kind = value
	case "data":
		f.data = append(append(f.data, value...), '\n')
	case "id":
		if strings.ContainsRune(value, 0) {
			return false
		}
		f.id = value
	case "retry":
		ms, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return false
		}
		f.retry = time.Duration(ms) * time.Millisecond
	default:
		return false
	}
	return true
}

func (f *frame) told() frame {
	told := *f
	told.data = bytes.TrimSuffix(f.data, []byte("\n"))
	if told.kind == "" {
		told.kind = "message"
	}
	return told
}

// anyLine splits at LF, CR LF and CR. What has no line end is no line.
func anyLine(data []byte, atEOF bool) (advance int, line []byte, err error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && atEOF:
		return len(data), nil, nil
	case i < 0:
		return 0, nil, nil
	case data[i] == '\n':
		return i + 1, data[:i], nil
	case i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	case i+1 < len(data) || atEOF:
		return i + 1, data[:i], nil
	}
	return 0, nil, nil // what follows the CR is not known yet
}
