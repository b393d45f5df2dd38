package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"slices"

	"sluice/pkg/events"
)

// The kinds of compression, as results tell them.
const (
	kindGzip  = "gzip"
	kindZstd  = "zstd"
	kindBzip2 = "bzip2"
	kindZip   = "zip"
)

// unpackSize is how many compressed bytes are read at once.
const unpackSize = 64 << 10

// magic is how a compressed file starts. What its label says does not count.
type magic struct {
	start string
	kind  string
}

func magics() []magic {
	list := []magic{
		{"\x1F\x8B\x08", kindGzip},
		{"\x28\xB5\x2F\xFD", kindZstd},
		{"PK\x03\x04", kindZip}, {"PK\x05\x06", kindZip}, // the latter holds nothing
	}
	for level := '1'; level <= '9'; level++ { // BZh alone may begin a header
		list = append(list, magic{"BZh" + string(level) + "1AY&SY", kindBzip2}, magic{"BZh" + string(level) + "\x17\x72\x45\x38\x50\x90", kindBzip2})
	}
	for n := byte(0x50); n <= 0x5F; n++ { // a skippable frame (RFC 8878, section 3.1.2), as parallel compressors write
		list = append(list, magic{string([]byte{n, 0x2A, 0x4D, 0x18}), kindZstd})
	}
	return list
}

// kindOf judges how a file starts. It is not sure when more bytes could change its mind.
func kindOf(head []byte) (kind string, sure bool) {
	sure = true
	for _, m := range magics() {
		if bytes.HasPrefix(head, []byte(m.start)) {
			return m.kind, true
		}
		sure = sure && !bytes.HasPrefix([]byte(m.start), head)
	}
	return "", sure
}

// packed is a compressed file on its way to be text.
type packed struct {
	kind   string
	wire   *wire
	hash   hash.Hash     // of the wire's bytes
	src    *bufio.Reader // the wire's bytes
	budget budget
	zip    *zipMember // nil for other kinds
}

// unpack returns the text that the wire's bytes are, or are made of; packed is nil if they are the text.
func unpack(w *wire, member string) (io.Reader, *packed) {
	if w.start > 0 {
		return w, nil // a part is one of a text
	}
	var head []byte
	kind, sure := kindOf(head)
	for !sure {
		buffer := make([]byte, 512)
		n, err := w.Read(buffer)
		head = append(head, buffer[:n]...)
		if kind, sure = kindOf(head); err != nil { // which the next Read tells again
			break
		}
	}
	whole := io.MultiReader(bytes.NewReader(slices.Clone(head)), w)
	if kind == "" {
		if member != "" {
			return failing{events.Failf(events.CodeMemberNotFound,
				"%s is no zip archive, so that it has no member %q; leave member out", w.at, member)}, nil
		}
		return whole, nil
	}
	p := &packed{kind: kind, wire: w, hash: sha256.New(), budget: budget{w.at, w.limits}}
	p.src = bufio.NewReaderSize(io.TeeReader(whole, p.hash), unpackSize)
	return p.text(member), p
}

// failing is a text that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (p *packed) text(member string) io.Reader {
	if member != "" && p.kind != kindZip {
		return failing{events.Failf(events.CodeMemberNotFound,
			"%s is compressed with %s and no zip archive, so that it has no member %q; leave member out", p.wire.at, p.kind, member)}
	}
	switch p.kind {
	case kindGzip:
		return &gzipMembers{src: p.src}
	case kindZstd:
		return newZstd(p.src)
	case kindBzip2:
		return bzip2.NewReader(p.src) // all streams one after the other
	}
	p.zip = newZipMember(p, member)
	return p.zip
}

// taken is how many of the wire's bytes were unpacked.
func (p *packed) taken() int64 { return p.wire.offset - int64(p.src.Buffered()) }

func (p *packed) member() string {
	if p.zip == nil {
		return ""
	}
	return p.zip.found.name
}

// judge says what a read at an offset of the text has brought: fewer bytes where a limit is met, and why it ended, for users.
func (p *packed) judge(offset int64, n int, err error) (int, error) {
	if over := offset + int64(n) - p.wire.limits.TextSize; over > 0 {
		return n - int(over), events.Failf(events.CodeSourceTooLarge,
			"%s is larger than the limit of %s when it is decompressed; split the file or have the operator raise SLUICE_SOURCE_TEXT_BYTES",
			p.wire.at, formatBytes(p.wire.limits.TextSize))
	}
	if exceeded := p.budget.check(offset+int64(n), p.taken()); exceeded != nil {
		return n, exceeded
	}
	_, told := errors.AsType[*events.Failure](err)
	switch {
	case err == nil || told:
		return n, err
	case p.wire.err != nil && p.wire.err != io.EOF: //nolint:errorlint // a wrapped one is not the end
		return n, p.wire.err
	case err != io.EOF: //nolint:errorlint // a wrapped one is not the end
		return n, p.explain(err)
	}
	if _, err := p.src.Peek(1); err != io.EOF { //nolint:errorlint // a wrapped one is not the end
		return n, p.explain(trailing(0))
	}
	return n, io.EOF
}

// trailing says that something else follows the end of the compressed data, of which so many bytes were taken.
type trailing int64

func (trailing) Error() string { return "trailing data" }

// damaged is an error in compressed data, worded for users.
type damaged string

func (d damaged) Error() string { return string(d) }

// explain words what a decompressor says.
func (p *packed) explain(err error) *events.Failure {
	at, kind := p.wire.at, p.kind
	if behind, ok := errors.AsType[trailing](err); ok {
		return events.Failf(events.CodeSourceCorrupt,
			"%s goes on behind the end of its %s data, at byte %d, with something else; make the file anew", at, kind, p.taken()-int64(behind))
	}
	if text, ok := errors.AsType[damaged](err); ok {
		return events.Failf(events.CodeSourceCorrupt, "%s is damaged near byte %d of its %s data: %s; make the file anew", at, p.taken(), kind, text)
	}
	if errors.Is(err, errWindow) {
		return events.Failf(events.CodeSourceUnsupported,
			"%s needs more than %s of memory to be decompressed; compress it without a long window", at, formatBytes(maxWindow))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		code := events.CodeSourceCorrupt
		if !p.wire.framed { // the connection may have been cut
			code = events.CodeSourceTruncated
		}
		return events.Failf(code, "%s ends in the middle of its %s data, after %d bytes; make the file anew", at, kind, p.wire.offset)
	}
	return events.Failf(events.CodeSourceCorrupt, "%s is damaged near byte %d of its %s data; make the file anew", at, p.taken(), kind)
}
