package unpack

import "bytes"

// Kind is how a file is compressed, as results tell it.
type Kind string

// The kinds.
const (
	None  Kind = ""
	Gzip  Kind = "gzip"
	Zstd  Kind = "zstd"
	Bzip2 Kind = "bzip2"
	Zip   Kind = "zip"
)

// magic is how a compressed file starts. What its label says does not count.
type magic struct {
	start string
	kind  Kind
}

func magics() []magic {
	list := []magic{
		{"\x1F\x8B", Gzip},
		{"\x28\xB5\x2F\xFD", Zstd},
		{"PK\x03\x04", Zip}, {"PK\x05\x06", Zip}, // the latter holds nothing
	}
	for level := '1'; level <= '9'; level++ { // BZh alone may begin a header
		start := "BZh" + string(level)
		list = append(list, magic{start + "1AY&SY", Bzip2}, magic{start + "\x17\x72\x45\x38\x50\x90", Bzip2})
	}
	for n := byte(0x50); n <= 0x5F; n++ { // a skippable frame (RFC 8878, section 3.1.2), as parallel compressors write
		list = append(list, magic{string([]byte{n, 0x2A, 0x4D, 0x18}), Zstd})
	}
	return list
}

// KindOf judges how a file starts. It is not sure when more bytes could change its mind.
func KindOf(head []byte) (kind Kind, sure bool) {
	sure = true
	for _, m := range magics() {
		if bytes.HasPrefix(head, []byte(m.start)) {
			return m.kind, true
		}
		sure = sure && !bytes.HasPrefix([]byte(m.start), head)
	}
	return None, sure
}
