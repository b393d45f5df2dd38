package csv

import (
	"bytes"

	"sluice/pkg/events"
)

// sniffSize is how far the start of a web page is looked for behind white space.
const sniffSize = 4 << 10

const byteOrderMark = "\xEF\xBB\xBF"

// signature is how a file starts that is something else than UTF-8 text.
type signature struct {
	magic  string
	refuse func() error
}

func signatures() []signature {
	utf16 := func() error {
		return events.Failf(events.CodeBadEncoding, "the source is encoded in UTF-16, which is not asked for; save it as UTF-8")
	}
	return append(packings(), signature{"\xFF\xFE", utf16}, signature{"\xFE\xFF", utf16})
}

// packings are those of what is compressed, or no text at all.
func packings() []signature {
	twice := func(kind string) func() error {
		return func() error {
			return events.Failf(events.CodeNotCSV, "the source is compressed twice, and holds %s; compress it once", kind)
		}
	}
	packed := func(kind string) func() error {
		return func() error {
			return events.Failf(events.CodeNotCSV, "the source is %s, not CSV; unpack it, or compress it with gzip, zstd or bzip2", kind)
		}
	}
	other := func(kind string) func() error {
		return func() error {
			return events.Failf(events.CodeNotCSV, "the source is %s, not CSV; export it as CSV and load that", kind)
		}
	}
	return []signature{
		{"\x1F\x8B", twice("a gzip file")},
		{"PK\x03\x04", twice("a zip archive")},
		{"PK\x05\x06", twice("an empty zip archive")},
		{"\x28\xB5\x2F\xFD", twice("a zstd file")},
		{"BZh91AY&SY", twice("a bzip2 file")}, // of the default level; BZh alone may begin a header
		{"\xFD7zXZ\x00", packed("an xz file")},
		{"7z\xBC\xAF\x27\x1C", packed("a 7z archive")},
		{"PK\x07\x08", packed("a part of a split zip archive")},
		{"\x04\x22\x4D\x18", packed("an lz4 file")},
		{"\x1F\x9D", packed("a compress file, such as .Z")},
		{"Rar!\x1A\x07", packed("a rar archive")},
		{"\xD0\xCF\x11\xE0", other("an old office document, such as .xls")},
		{"%PDF-", other("a PDF document")},
		{"\x89PNG", other("a picture")},
		{"PAR1", other("a Parquet file")},
	}
}

// sniff looks at the first bytes: it skips a byte order mark and refuses what is not CSV in UTF-8. It reads no further
// than it takes to be sure.
func sniff(in *input) error {
	for {
		skip, sure, err := inspect(in.buf[in.pos:in.end])
		if err != nil {
			return err
		}
		if !sure {
			err = in.more()
		}
		if sure || isEnd(err) {
			in.pos += skip
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// inspect judges how a file starts. It is not sure when more bytes could change its mind.
func inspect(head []byte) (skip int, sure bool, err error) {
	head = head[:min(len(head), sniffSize)]
	sure = true
	for _, s := range signatures() {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return 0, true, s.refuse()
		}
		sure = sure && !bytes.HasPrefix([]byte(s.magic), head)
	}
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		skip = len(byteOrderMark)
	} else if bytes.HasPrefix([]byte(byteOrderMark), head) {
		sure = false
	}
	page, pageSure := isPage(head[skip:], len(head) == sniffSize)
	if page {
		return 0, true, pageFailure()
	}
	return skip, sure && pageSure, nil
}

// isPage reports whether a text starts like a web page. It is not sure when more of the text could change its mind.
func isPage(text []byte, all bool) (page, sure bool) {
	text = bytes.ToLower(bytes.TrimLeft(text, " \t\r\n\v\f"))
	sure = true
	for _, tag := range []string{"<!doctype html", "<html"} {
		if bytes.HasPrefix(text, []byte(tag)) {
			return true, true
		}
		if bytes.HasPrefix([]byte(tag), text) {
			sure = sure && all // white space without end
		}
	}
	return false, sure
}

func pageFailure() error {
	return events.Failf(events.CodeNotCSV, "the source looks like a web page, not CSV; its URL probably leads to a login or an error page, "+
		"so check where it leads without logging in, or state allow_html if it is CSV")
}

// refuseOther refuses text that is in another format than CSV: XML, and JSON but for one object per line.
func refuseOther(text []byte) error {
	text = bytes.TrimLeft(text, " \t\r\n")
	var kind string
	switch {
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<table")):
		kind = "XML"
	case startsWith(text, '[', '{'), startsWith(text, '{', '"') && !isJSONLines(text):
		kind = "JSON"
	default:
		return nil
	}
	return events.Failf(events.CodeNotCSV, "the source looks like %s, not CSV; check that its URL leads to the file that was meant, "+
		"or state the delimiter if it is CSV", kind)
}

// startsWith reports whether a text starts with two characters, white space between them aside.
func startsWith(text []byte, first, second byte) bool {
	if len(text) == 0 || text[0] != first {
		return false
	}
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) > 0 && rest[0] == second
}

// isJSONLines reports whether the second line starts as the first does.
func isJSONLines(text []byte) bool {
	_, rest, more := bytes.Cut(text, []byte{'\n'})
	return more && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'{'})
}
