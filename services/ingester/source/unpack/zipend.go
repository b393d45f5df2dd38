package unpack

import (
	"bufio"
	"encoding/binary"
)

// zipDirectory is an archive's directory, as it was met.
type zipDirectory struct {
	offset, size int64 // in the archive
	entries      int64
}

// checkEnd reads what follows the directory, to the end of the archive (APPNOTE, sections 4.3.13 to 4.3.16): it must tell of the
// directory that was met, or else another reader would find another one.
func (d zipDirectory) checkEnd(src *bufio.Reader) error {
	for wide, located := false, false; ; {
		head, err := src.Peek(4)
		if err != nil {
			return unexpected(err)
		}
		length, last := 0, false
		switch string(head) {
		case "PK\x05\x05": // a signature of the directory
			if head, err = src.Peek(6); err == nil {
				length = 6 + int(binary.LittleEndian.Uint16(head[4:]))
			}
		case "PK\x06\x06": // of Zip64
			wide = true
			if head, err = src.Peek(56); err == nil {
				length, err = d.checkWide(head)
			}
		case "PK\x06\x07": // where that is
			length, located = 20, true
			if head, err = src.Peek(length); err == nil {
				err = d.checkLocator(head)
			}
		case "PK\x05\x06":
			last = true
			if head, err = src.Peek(22); err == nil {
				length, err = 22+int(binary.LittleEndian.Uint16(head[20:])), d.check(head, wide && located)
			}
		default:
			err = damaged("something else than a member or the directory follows a member")
		}
		if err != nil {
			return unexpected(err)
		}
		if _, err := src.Discard(length); err != nil || last {
			return unexpected(err)
		}
	}
}

const errDirectory = damaged("the end of the archive tells of another directory")

// check compares what the end tells. Where it is wide, what does not fit was told in the record before.
func (d zipDirectory) check(end []byte, wide bool) error {
	at := binary.LittleEndian
	for _, field := range []struct{ told, met, most int64 }{
		{int64(at.Uint16(end[10:])), d.entries, 0xFFFF},
		{int64(at.Uint32(end[12:])), d.size, 0xFFFFFFFF},
		{int64(at.Uint32(end[16:])), d.offset, 0xFFFFFFFF},
	} {
		if field.told != field.met && !(wide && field.told == field.most) {
			return errDirectory
		}
	}
	return nil
}

// checkLocator compares where the record of Zip64 is said to be.
func (d zipDirectory) checkLocator(locator []byte) error {
	if binary.LittleEndian.Uint64(locator[8:]) != uint64(d.offset+d.size) { //nolint:gosec // never negative
		return errDirectory
	}
	return nil
}

// checkWide is the same for the record of Zip64, whose length it returns.
func (d zipDirectory) checkWide(record []byte) (length int, err error) {
	at := binary.LittleEndian
	size := at.Uint64(record[4:])
	if size < 44 || size > 1<<20 || at.Uint64(record[32:]) != uint64(d.entries) || //nolint:gosec // never negative
		at.Uint64(record[40:]) != uint64(d.size) || at.Uint64(record[48:]) != uint64(d.offset) { //nolint:gosec // likewise
		return 0, errDirectory
	}
	return 12 + int(size), nil
}
