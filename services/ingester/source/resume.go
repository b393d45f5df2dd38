package source

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
)

// ErrChanged reports that the source is not, or cannot be told to be, the file that an earlier attempt read. What that
// attempt has kept is of no use: the file is to be opened and read from its start.
var ErrChanged = errors.New("the source is not the file that was read before")

// Point is where an earlier attempt had come to.
type Point struct {
	Offset int64     // of the first byte that is wanted
	Digest []byte    // [Body.Digest] after the bytes before Offset
	Was    Validator // [Body.Validator] of the latest attempt that read anything
	// Others are marks that hold for the same file, wherever they are. Whatever of the file is skipped although its server
	// cannot prove that it is the same needs a mark at its end or behind it.
	Others []Mark
}

// Resume asks for the rest of a file (RFC 9110, section 14), if the server can tell that it is still the same, and else for
// the whole of it: [Body.Offset] tells where the body starts, at at.Offset or at 0. Marks are compared as reading passes
// them, so that Read fails with [ErrChanged] where the bytes are not those of the earlier attempt.
//
// A point without any mark is as Open. The other errors are those of Open, and ErrChanged when the answer shows that the
// source is another file.
func (o *Opener) Resume(ctx context.Context, wanted Request, at Point) (*Body, error) {
	marks, err := sorted(append([]Mark{{at.Offset, at.Digest}}, at.Others...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if len(marks) == 0 {
		return o.Open(ctx, wanted)
	}
	r := &rest{was: at.Was, marks: marks}
	if at.Offset > 0 && len(at.Digest) > 0 {
		r.offset, r.from = at.Offset, at.Offset
		r.hash, _ = restoreHash(at.Digest) // it was, as a mark
		if at.Offset >= at.Was.Length {
			r.from-- // a file that ends here has no byte to ask for, and must not be answered with 416
		}
	}
	return o.open(ctx, wanted, r)
}

// rest is what is asked for to go on with an earlier attempt.
type rest struct {
	was    Validator
	marks  []mark    // not empty, ascending
	offset int64     // where to go on; 0 to read from the start
	from   int64     // the first byte to ask for: offset, or the byte before it
	hash   hash.Hash // of the bytes before offset
}

// narrow makes a request one for the rest only. It does so at the address alone that gave the validator.
func (r *rest) narrow(header http.Header, at target) {
	if r == nil || r.offset == 0 || !r.was.usable() || r.was.Place != placeOf(at) {
		return
	}
	header.Set("Range", "bytes="+strconv.FormatInt(r.from, 10)+"-")
	header.Set("If-Range", r.was.ifRange())
}

// isRest reports whether an answer is the rest as it was asked for, of the same file. ErrChanged means that the file is
// another one; otherwise an answer that is not the rest tells nothing of the file.
func (r *rest) isRest(resp *http.Response, at target) (bool, error) {
	part, valid := parseContentRange(resp.Header)
	now := validatorOf(resp, at, part.total)
	if r.was.denies(now) {
		return false, fmt.Errorf("%w: a part of it has another ETag or length", ErrChanged)
	}
	exact := valid && part.first == r.from && part.last == part.total-1
	length := part.last - part.first + 1
	framed := resp.ContentLength < 0 || resp.ContentLength == length
	return exact && framed && contentCoding(resp) == "" && r.was.proves(now), nil
}

// checkWhole returns ErrChanged if an answer with a whole file shows that it is another one.
func (r *rest) checkWhole(resp *http.Response, at target) error {
	return r.checkAll(validatorOf(resp, at, resp.ContentLength), resp.ContentLength)
}

// checkAll is the same for a whole file of any origin, which is of the size, negative if unknown.
func (r *rest) checkAll(now Validator, size int64) error {
	if r.was.denies(now) {
		return fmt.Errorf("%w: it has another ETag or length", ErrChanged)
	}
	if r.was.Compression != "" {
		return nil // marks are places in what it holds
	}
	if last := r.marks[len(r.marks)-1].offset; size >= 0 && size < last {
		return fmt.Errorf("%w: it is shorter than the %d bytes that were read", ErrChanged, last)
	}
	return nil
}

// goOn makes a body that was just opened the continuation of the earlier attempt's.
func (b *Body) goOn(r *rest) error {
	partial := b.wire.start > 0
	b.proven = partial || r.was.proves(b.validator)
	if b.validator = r.was; !b.proven { // neither version's is that of what was kept and of what is read now
		b.validator = Validator{Compression: r.was.Compression}
	}
	b.marks, b.covered = r.marks, r.marks[len(r.marks)-1].offset
	if !partial {
		return nil
	}
	if overlap := make([]byte, r.offset-r.from); len(overlap) > 0 {
		if _, err := io.ReadFull(b.text, overlap); err != nil {
			return err
		}
	}
	b.offset, b.hash = r.offset, r.hash
	for len(b.marks) > 0 && b.marks[0].offset <= b.offset {
		b.marks = b.marks[1:]
	}
	return nil
}
