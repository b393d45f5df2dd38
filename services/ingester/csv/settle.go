package csv

import (
	"bytes"
	"errors"
	"io"
	"math"
	"time"

	"sluice/pkg/events"
)

// sampleSize is how many bytes of the source's text decide how it is read.
const sampleSize = 64 << 10

// patience is how long a slow source is waited for that has brought so many lines.
var patience = []struct {
	lines int64
	time  time.Duration
}{{5, 200 * time.Millisecond}, {2, time.Second}}

// settle finds out how the file is written, as far as that is not known, and is then behind a byte order mark.
func (r *Reader) settle() error {
	if r.opts.Stated == nil {
		if err := r.opts.validate(); err != nil {
			return err
		}
		return sniff(&r.scan.in)
	}
	began := time.Now()
	complete, err := r.fillSample(began)
	if err != nil {
		return err
	}
	if err := r.decode(complete); err != nil {
		return err
	}
	if complete, err = r.fillSample(began); err != nil { // what was decoded is of another length
		return err
	}
	sample := r.sample()
	if page, _ := isPage(sample[:min(len(sample), sniffSize)], true); page && !r.opts.Stated.AllowHTML {
		return pageFailure()
	}
	if r.opts.Stated.Delimiter == nil {
		if err := refuseOther(sample); err != nil {
			return err
		}
	}
	sure := r.found.confidence
	r.found = detect(sample, complete, *r.opts.Stated)
	r.found.confidence = min(r.found.confidence, sure)
	r.opts.Dialect = r.found.Dialect
	r.settleDialect()
	return r.opts.validate()
}

// settleDialect makes the scanner ready for the dialect that was found.
func (r *Reader) settleDialect() {
	if r.opts.Stated != nil && r.opts.Stated.Delimiter == nil {
		r.scan.guess(r.found.Dialect)
	} else {
		r.scan.use(r.found.Dialect)
	}
}

func (r *Reader) sample() []byte {
	in := &r.scan.in
	return in.buf[in.pos:min(in.end, in.pos+sampleSize)]
}

// fillSample reads the first part of the source, or less of a slow one, and reports that this is all of it.
func (r *Reader) fillSample(began time.Time) (complete bool, err error) {
	in := &r.scan.in
	for in.end-in.pos <= sampleSize && !r.impatient(began) {
		switch err := in.more(); {
		case isEnd(err):
			return true, nil
		case errors.Is(err, ErrCut):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	return false, nil
}

// impatient reports whether a slow source is not to be waited for any more.
func (r *Reader) impatient(began time.Time) bool {
	if r.opts.Ready == nil {
		return false
	}
	lines := lineEnds(r.sample())
	for _, p := range patience {
		if lines >= p.lines {
			return !r.opts.Ready(time.Until(began.Add(p.time)))
		}
	}
	return false
}

// decode finds the encoding and sees to it that what is read from then on is UTF-8.
func (r *Reader) decode(complete bool) error {
	in := &r.scan.in
	head := r.sample()
	if err := refusePacked(head); err != nil {
		return err
	}
	charset, mark, sure, err := detectCharset(head, complete, r.opts.Stated.Encoding, r.opts.Charset)
	if err != nil {
		return err
	}
	in.pos += mark
	r.found.confidence = sure
	if charset.isUTF8() {
		return nil
	}
	in.charset, in.origin = charset, int64(mark)
	rest := in.src
	if in.err != nil {
		rest = failing{in.err}
	}
	in.src = newDecoder(io.MultiReader(bytes.NewReader(bytes.Clone(in.buf[in.pos:in.end])), rest), charset)
	in.pos, in.end, in.err = 0, 0, nil
	return nil
}

// failing is a source that has ended.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// tarMagicAt is where in its first header a tar archive says that it is one (POSIX pax).
const tarMagicAt = 257

// refusePacked refuses what is compressed, by how it starts.
func refusePacked(head []byte) error {
	for _, s := range packings() {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.refuse()
		}
	}
	if bytes.HasPrefix(head[min(tarMagicAt, len(head)):], []byte("ustar")) {
		return events.Failf(events.CodeNotCSV,
			"the source is a tar archive, not CSV; unpack it and load the CSV file itself, or make a zip of it")
	}
	return nil
}

// report describes to the user how the file is read.
func (d detection) report(encoding string) events.Dialect {
	report := d.Dialect.report()
	report.Encoding, report.LineEnd, report.Confidence = encoding, d.lineEnd, math.Round(d.confidence*100)/100
	return report
}
