package csv

import (
	"cmp"
	"slices"
	"strings"

	"sluice/pkg/events"
)

// RawSize is how many bytes of a rejected row are kept.
const RawSize = 4 << 10

const (
	rejectsSize = 256 << 10 // bytes of rejects that [Rows] take
	leastRows   = 1000      // read before a percentage says anything
)

// Reject is a row that could not be read.
type Reject struct {
	Line   int64 // where it starts, from 1
	Offset int64 // of its first byte in the source
	Column int   // the field at fault, from 1; 0 if it is not about one
	Name   string
	Code   events.Code
	Reason string
	Raw    string // its text in UTF-8, at most 4 KiB; what is not UTF-8, or NUL, is replaced by U+FFFD
}

// size is about what a reject takes of memory.
func (r Reject) size() int { return len(r.Raw) + len(r.Reason) + len(r.Name) + 128 }

// reject makes a reject of the row in hand that err is said of, and goes on behind it. It fails with err if that is not
// about a row, or if no bad rows are allowed, and when there were too many of them.
func (r *Reader) reject(err error) (Reject, error) {
	f := badRow(err)
	if f == nil || !r.opts.tolerant() || len(r.columns) == 0 {
		return Reject{}, err
	}
	s := r.scan
	reject := Reject{Line: s.started, Offset: s.origin, Column: int(f.Column), Code: f.Code, Reason: f.Message}
	if n := reject.Column; 0 < n && n <= len(r.columns) {
		reject.Name = r.columns[n-1].Name
	}
	raw, err := s.resync(f)
	if err != nil {
		return Reject{}, err
	}
	if err := s.crossed(); err != nil {
		return Reject{}, err
	}
	reject.Raw = readable(raw)
	r.bad = f
	r.rejected++
	if r.firstBad == "" {
		r.firstBad = f.Message
	}
	return reject, r.tooManyBad(false)
}

// readable is text that Postgres can store, without its line end.
func readable(raw []byte) string {
	text := Cut(strings.TrimRight(string(raw), "\r\n"), RawSize)
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// Recount adds rejects to rows whose places are told: rows that were read, and taken out of them since, as their values are not
// what they should be. All that ReadRows has read since the rows were empty must be in them. It judges these rows anew, one after
// the other, and fails at the first that is one bad row too many; the rejects behind that are left out.
func (r *Reader) Recount(rows *Rows, unfit []Reject) error {
	before, rejected := r.read-rows.Count-int64(len(unfit)), r.rejected-int64(len(rows.Rejects))
	rows.Rejects = append(rows.Rejects, unfit...)
	slices.SortFunc(rows.Rejects, func(a, b Reject) int { return cmp.Compare(a.Offset, b.Offset) })
	if rejected == 0 && len(rows.Rejects) > 0 {
		r.firstBad = rows.Rejects[0].Reason
	}
	good := 0 // rows before a reject
	for n, reject := range rows.Rejects {
		for good < len(rows.Places) && rows.Places[good].Offset < reject.Offset {
			good++
		}
		r.read, r.rejected = before+int64(good), rejected+int64(n+1)
		if err := r.tooManyBad(false); err != nil {
			rows.Rejects = rows.Rejects[:n+1]
			return err
		}
	}
	r.read, r.rejected = before+rows.Count, rejected+int64(len(rows.Rejects))
	if isEnd(r.err) && r.scan.stop == 0 {
		return r.tooManyBad(true)
	}
	return nil
}

// tooManyBad fails if more rows are bad than may be, by what has been read so far or, at the end, by all of it.
func (r *Reader) tooManyBad(end bool) error {
	allowed, read := r.opts.BadRows, r.read+r.rejected
	if allowed.Count > 0 && r.rejected > allowed.Count {
		return events.Failf(events.CodeTooManyBadRows, "%d rows are bad, and max_bad_rows allows %d; the first is %s",
			r.rejected, allowed.Count, r.firstBad)
	}
	if allowed.Percent > 0 && (end || read >= leastRows) && float64(r.rejected)*100 > allowed.Percent*float64(read) {
		return events.Failf(events.CodeTooManyBadRows, "%d of %d rows are bad, and max_bad_rows allows %v%%; the first is %s",
			r.rejected, read, allowed.Percent, r.firstBad)
	}
	return nil
}

// Tolerant reports whether any bad rows are allowed.
func (r *Reader) Tolerant() bool { return r.opts.tolerant() }

// Rejected is how many rows were rejected so far, those before a resumed reading included.
func (r *Reader) Rejected() int64 { return r.rejected }
