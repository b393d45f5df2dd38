package unpack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// The methods of compression that are supported.
const (
	zipStored   = 0
	zipDeflated = 8
)

// zipEntry is what an archive says of a member, right before it and in the directory.
type zipEntry struct {
	name     string
	flags    uint16
	method   uint16
	crc      uint32
	size     int64 // compressed
	length   int64 // decompressed
	offset   int64 // of its header in the archive
	streamed bool  // whether crc, size and length are told behind the content only
	link     bool  // whether it is a symbolic link, by the directory
}

// Bits of the flags (APPNOTE, section 4.4.4).
const (
	flagEncrypted = 1 << 0
	flagStreamed  = 1 << 3
	flagUTF8      = 1 << 11
)

func (e zipEntry) isFolder() bool { return strings.HasSuffix(e.name, "/") }

// asListed is the entry without what the directory may have otherwise.
func (e zipEntry) asListed() zipEntry {
	e.streamed, e.flags, e.link = false, 0, false
	return e
}

// unfit says why a member cannot be read.
func (e zipEntry) unfit() error {
	switch {
	case e.flags&flagEncrypted != 0:
		return errors.New("is encrypted")
	case e.method != zipStored && e.method != zipDeflated:
		return errors.New("is compressed in a way that is not supported")
	}
	return nil
}

// readEntry reads the header before a member (section 4.3.7), which begins at the offset.
func readEntry(src *bufio.Reader, offset int64) (zipEntry, error) {
	var fixed [30]byte
	if _, err := io.ReadFull(src, fixed[:]); err != nil {
		return zipEntry{}, unexpected(err)
	}
	at := binary.LittleEndian
	e := zipEntry{
		flags: at.Uint16(fixed[6:]), method: at.Uint16(fixed[8:]), crc: at.Uint32(fixed[14:]),
		size: int64(at.Uint32(fixed[18:])), length: int64(at.Uint32(fixed[22:])), offset: offset,
	}
	if e.flags&flagStreamed != 0 {
		// Sizes that are there all the same are not relied on.
		e.streamed, e.crc = true, 0
	}
	extra, err := e.readNames(src, at.Uint16(fixed[26:]), at.Uint16(fixed[28:]), 0)
	if err != nil {
		return zipEntry{}, err
	}
	if e.streamed {
		e.size, e.length = 0, 0
		return e, nil
	}
	return e, e.widen(extra)
}

// readListed reads a member's entry in the directory (section 4.3.12), if another one follows.
func readListed(src *bufio.Reader) (e zipEntry, more bool, err error) {
	signature, err := src.Peek(4)
	if err != nil {
		return e, false, unexpected(err)
	}
	if string(signature) != "PK\x01\x02" {
		return e, false, nil
	}
	var fixed [46]byte
	if _, err := io.ReadFull(src, fixed[:]); err != nil {
		return e, false, unexpected(err)
	}
	at := binary.LittleEndian
	e = zipEntry{
		flags: at.Uint16(fixed[8:]), method: at.Uint16(fixed[10:]), crc: at.Uint32(fixed[16:]),
		size: int64(at.Uint32(fixed[20:])), length: int64(at.Uint32(fixed[24:])), offset: int64(at.Uint32(fixed[42:])),
	}
	e.link = isUnix(fixed[5]) && at.Uint16(fixed[40:])&0o170000 == 0o120000
	extra, err := e.readNames(src, at.Uint16(fixed[28:]), at.Uint16(fixed[30:]), at.Uint16(fixed[32:]))
	if err != nil {
		return e, false, err
	}
	return e, true, e.widen(extra)
}

// isUnix reports whether what made an archive tells file modes as Unix does (section 4.4.2.2).
func isUnix(madeBy byte) bool { return madeBy == 3 || madeBy == 19 }

// readNames reads what follows the fixed part of both.
func (e *zipEntry) readNames(src *bufio.Reader, name, extra, comment uint16) (extraData []byte, err error) {
	data := make([]byte, int(name)+int(extra)+int(comment))
	if _, err := io.ReadFull(src, data); err != nil {
		return nil, unexpected(err)
	}
	e.name = decodeName(data[:name], e.flags)
	return data[name : int(name)+int(extra)], nil
}

// decodeName reads a name that does not say to be UTF-8 as that all the same, if it is, and else as the first archivers did.
func decodeName(raw []byte, flags uint16) string {
	if flags&flagUTF8 != 0 || utf8.Valid(raw) {
		return strings.ToValidUTF8(string(raw), "?")
	}
	name, err := charmap.CodePage437.NewDecoder().Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "?")
	}
	return string(name)
}

const wide = 0xFFFFFFFF // what does not fit into 32 bits is in the extra field of Zip64

// widen reads that (section 4.5.3).
func (e *zipEntry) widen(extra []byte) error {
	for len(extra) >= 4 {
		tag, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if size > len(extra) {
			break // padding, as some archivers add
		}
		if tag == 1 {
			return e.widenBy(extra[:size])
		}
		extra = extra[size:]
	}
	return nil
}

func (e *zipEntry) widenBy(field []byte) error {
	for _, value := range []*int64{&e.length, &e.size, &e.offset} { // those that are there are in this order
		if *value != wide {
			continue
		}
		if len(field) < 8 {
			return nil // 4 GiB less a byte, or else what follows does not fit
		}
		*value = int64(binary.LittleEndian.Uint64(field)) //nolint:gosec // negative: refused below
		if *value < 0 {
			return damaged("a member is said to be larger than anything")
		}
		field = field[8:]
	}
	return nil
}
