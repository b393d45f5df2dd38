package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"path"

	"sluice/pkg/events"
	"sluice/services/ingester/source/unpack"
)

// Body is the content of a file as it comes in, decompressed. It is for one reader at a time; only Close may be called
// meanwhile.
type Body struct {
	wire   *wire
	text   io.Reader      // the wire's bytes, or those that they hold
	packed *unpack.Reader // the same if they are compressed; else nil
	member string         // that is wanted

	validator Validator
	proven    bool   // by the validator to be the file of an earlier attempt
	marks     []mark // of that attempt, ahead of offset
	covered   int64  // the offset of its last mark

	hash   hash.Hash // of the text before offset
	offset int64     // in the text
	err    error     // what every further Read returns
}

// newBody looks at the first bytes to see whether they are compressed. What goes wrong with that, Read tells.
func newBody(w *wire, member string) *Body {
	b := &Body{wire: w, validator: w.validator, member: member, hash: sha256.New(), offset: w.start}
	if b.text = w; w.start == 0 { // a part is one of a text
		b.look()
	}
	b.validator.Compression = b.Compression()
	return b
}

// look finds out by the first bytes how the file is compressed.
func (b *Body) look() {
	var head []byte
	kind, sure := unpack.KindOf(head)
	for !sure {
		more := make([]byte, 512)
		n, err := b.wire.Read(more)
		head = append(head, more[:n]...)
		if kind, sure = unpack.KindOf(head); err != nil { // which the next Read tells again
			break
		}
	}
	b.text = io.MultiReader(bytes.NewReader(head), b.wire)
	switch {
	case kind != unpack.None:
		b.packed = unpack.New(unpack.File{
			Kind: kind, Packed: b.text, At: b.wire.at, Framed: b.wire.framed, Member: b.member, Ratio: b.wire.limits.Ratio,
		})
		b.text = b.packed
	case b.member != "":
		b.err = events.Failf(events.CodeMemberNotFound,
			"%s is no zip archive, so that it has no member %q; leave member out", b.wire.at, b.member)
	}
}

// Size returns the length in bytes of the whole file, as it is sent, that was announced (RFC 9110, section 8.6), false if
// none was.
func (b *Body) Size() (int64, bool) { return max(b.wire.size, 0), b.wire.size >= 0 }

// LengthVerified reports whether the file's end is marked, by an announced length or by chunks. Where only the end
// of the connection does (RFC 9112, section 6.3, rule 8), a file that was cut off looks complete.
func (b *Body) LengthVerified() bool { return b.wire.framed }

// Name returns the file's name, for people to read: that of the archive's member that was asked for, or what the server says,
// or the last path segment of the requested URL, without what would be unsafe in a name; "" if there is none.
func (b *Body) Name() string {
	if b.member == "" {
		return b.wire.name
	}
	return cmp.Or(cleanName(path.Base(b.member)), b.wire.name)
}

// Charset returns the label of the character encoding that the server announced (RFC 9110, section 8.3.2), or "" if it did
// not.
func (b *Body) Charset() string { return b.wire.charset }

// Compression returns how the file is compressed: "gzip", "zstd", "bzip2", "zip", or "".
func (b *Body) Compression() string {
	if b.packed == nil {
		return ""
	}
	return string(b.packed.Kind())
}

// Member returns the name of the archive's member that is read, once that was found; "" if the file is no archive.
func (b *Body) Member() string {
	if b.packed == nil {
		return ""
	}
	return b.packed.Member()
}

// Validator returns what this version of the file is recognised by. A resumed body has the one it was resumed with, or one
// that recognises nothing if that proved nothing; it replaces the one kept, before anything read from this body is kept.
func (b *Body) Validator() Validator { return b.validator }

// Offset returns the place in the decompressed file of the next byte that Read returns.
func (b *Body) Offset() int64 { return b.offset }

// Sent returns how many bytes of the file, as it is sent, were read, or left out since an earlier attempt had read them.
func (b *Body) Sent() int64 {
	if b.packed == nil {
		return b.offset
	}
	return b.wire.offset
}

// OnSent has each read of a compressed file told, from within Read, with what [Body.Sent] is then: much may be read before
// anything comes of it.
func (b *Body) OnSent(told func(sent int64)) {
	if b.packed != nil {
		b.wire.told = told
	}
}

// Checksum returns "sha256:" and the hex digest of all bytes before Sent; at io.EOF it is that of the file as it was sent.
func (b *Body) Checksum() string {
	if b.packed != nil {
		return "sha256:" + hex.EncodeToString(b.packed.Sum())
	}
	return "sha256:" + hex.EncodeToString(b.hash.Sum(nil))
}

// Read reads the decompressed file. Its errors are io.EOF only after the whole file, the context's error once that is done,
// fs.ErrClosed after Close, [ErrChanged] where the bytes are not those that the body was resumed for, and otherwise an
// [*events.Failure].
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.text.Read(b.untilMark(p))
	if over := b.offset + int64(n) - b.wire.limits.TextSize; over > 0 && b.packed != nil {
		n, err = n-int(over), tooLargeUnpacked(b.wire.at, b.wire.limits.TextSize)
	}
	b.offset += int64(n)
	b.hash.Write(p[:n])
	if changed := b.pass(); changed != nil {
		n, b.err = 0, changed
	}
	if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
		err = b.ended()
	}
	if err != nil && b.err == nil {
		b.err = err
	}
	return n, b.err
}

// Close ends the transfer. It is needed even after an error.
func (b *Body) Close() error { return b.wire.Close() }
