// Package unpack decompresses files as they come, whole or one member of an archive, and never trusts them.
package unpack

import (
	"bufio"
	"compress/bzip2"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"sluice/pkg/events"
)

// bufferSize is how many compressed bytes are read at once.
const bufferSize = 64 << 10

// File is what is to be decompressed.
type File struct {
	Kind   Kind
	Packed io.Reader    // its bytes from the first one on
	At     fmt.Stringer // its address, as it may be shown
	Framed bool         // whether the end of Packed is the file's for sure
	Member string       // of a zip archive; "" for the one CSV file that it holds
	Ratio  int64        // how many times as large it may become, past its first 10 MiB
}

// Reader gives the content of a [File].
type Reader struct {
	file   File
	sent   *sent
	src    *bufio.Reader // of sent
	text   io.Reader     // made from src
	zip    *zipMember    // nil for other kinds
	length int64         // of what was read
}

// New returns the content of a file of a kind other than [None]. Nothing is read yet.
func New(file File) *Reader {
	r := &Reader{file: file, sent: &sent{from: file.Packed, hash: sha256.New()}}
	r.src = bufio.NewReaderSize(r.sent, bufferSize)
	switch {
	case file.Member != "" && file.Kind != Zip:
		r.text = failing{events.Failf(events.CodeMemberNotFound,
			"%s is compressed with %s and no zip archive, so that it has no member %q; leave member out", file.At, file.Kind, file.Member)}
	case file.Kind == Gzip:
		r.text = &gzipMembers{src: r.src}
	case file.Kind == Zstd:
		r.text = newZstd(r.src)
	case file.Kind == Bzip2:
		r.text = bzip2.NewReader(r.src) // all streams one after the other
	default:
		r.zip = &zipMember{archive: r, src: r.src, wanted: file.Member}
		r.text = r.zip
	}
	return r
}

// failing is a text that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// sent is the compressed file, with what is known of the part of it that was read.
type sent struct {
	from   io.Reader
	hash   hash.Hash
	length int64
	err    error // why there is no more; io.EOF at its end
}

func (s *sent) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.hash.Write(p[:n])
	s.length += int64(n)
	s.err = err
	return n, err
}

// Kind returns how the file is compressed.
func (r *Reader) Kind() Kind { return r.file.Kind }

// Member returns the name of the archive's member that is read, once it is found; "" if the file is no archive.
func (r *Reader) Member() string {
	if r.zip == nil {
		return ""
	}
	return r.zip.found.name
}

// Sum returns the SHA-256 of what was read of the compressed file; at io.EOF that is all of it.
func (r *Reader) Sum() []byte { return r.sent.hash.Sum(nil) }

// Read reads the content. Its errors are io.EOF only after the whole file, and everything in it that has to fit together, the
// error of the packed bytes if these cannot be read, and otherwise an [*events.Failure].
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.text.Read(p)
	r.length += int64(n)
	if exceeded := r.checkRatio(r.length); exceeded != nil {
		return n, exceeded
	}
	if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
		err = r.end()
	}
	return n, r.explain(err)
}

// end returns io.EOF if nothing follows but zeros, as tapes and some archivers pad files with.
func (r *Reader) end() error {
	for {
		switch b, err := r.src.ReadByte(); {
		case err != nil:
			return err
		case b != 0:
			return trailing(1)
		}
	}
}

// taken is how many of the packed bytes were unpacked.
func (r *Reader) taken() int64 { return r.sent.length - int64(r.src.Buffered()) }

// ratioFrom is from how many decompressed bytes on the ratio counts: small files may be of one letter.
const ratioFrom = 10 << 20

// checkRatio fails when what was unpacked has become too many bytes.
func (r *Reader) checkRatio(length int64) error {
	if length <= ratioFrom || length/r.file.Ratio < r.taken() {
		return nil
	}
	return events.Failf(events.CodeCompressionRatio,
		"%s has become more than %d times as large when it was decompressed, as a decompression bomb does; "+
			"submit it decompressed or have the operator raise SLUICE_SOURCE_RATIO", r.file.At, r.file.Ratio)
}

// trailing says that something else follows the end of the compressed data, of which so many bytes were taken.
type trailing int64

func (trailing) Error() string { return "trailing data" }

// damaged says what is wrong with compressed data, to users.
type damaged string

func (d damaged) Error() string { return string(d) }

// explain words what a decompressor says.
func (r *Reader) explain(err error) error {
	_, told := errors.AsType[*events.Failure](err)
	switch {
	case err == nil || err == io.EOF || told: //nolint:errorlint // a wrapped one is not the end
		return err
	case r.sent.err != nil && r.sent.err != io.EOF: //nolint:errorlint // a wrapped one is not the end
		return r.sent.err
	}
	at, kind := r.file.At, r.file.Kind
	if behind, ok := errors.AsType[trailing](err); ok {
		return events.Failf(events.CodeSourceCorrupt,
			"%s goes on behind the end of its %s data, at byte %d, with something else; make the file anew", at, kind, r.taken()-int64(behind))
	}
	if errors.Is(err, errWindow) {
		return events.Failf(events.CodeSourceUnsupported,
			"%s needs more than 128 MiB of memory to be decompressed, or is damaged; compress it without a long window", at)
	}
	if errors.Is(err, errDictionary) {
		return events.Failf(events.CodeSourceUnsupported, "%s needs a dictionary to be decompressed; compress it without one", at)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		code := events.CodeSourceCorrupt
		if !r.file.Framed { // the connection may have been cut
			code = events.CodeSourceTruncated
		}
		return events.Failf(code, "%s ends in the middle of its %s data, after %d bytes; make the file anew", at, kind, r.sent.length)
	}
	why := ""
	if text, ok := errors.AsType[damaged](err); ok {
		why = ": " + string(text)
	}
	return events.Failf(events.CodeSourceCorrupt, "%s is damaged near byte %d of its %s data%s; make the file anew",
		at, r.taken(), kind, why)
}
