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
		return events.Failf(events.CodeBadEncoding, "the source is encoded in UTF-16, which is not read yet; save it as UTF-8")
	}
	packed := func(kind string) func() error {
		return func() error {
			return events.Failf(events.CodeNotCSV, "the source is %s, not CSV; unpack it and load the CSV file itself", kind)
		}
	}
	return []signature{
		{"\xFF\xFE", utf16},
		{"\xFE\xFF", utf16},
		{"\x1F\x8B", packed("a gzip file")},
		{"PK\x03\x04", packed("a zip archive or an office document")},
		{"PK\x05\x06", packed("an empty zip archive")},
		{"\x28\xB5\x2F\xFD", packed("a zstd file")},
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
	text := bytes.ToLower(bytes.TrimLeft(head[skip:], " \t\r\n\v\f"))
	for _, tag := range []string{"<!doctype html", "<html"} {
		if bytes.HasPrefix(text, []byte(tag)) {
			return 0, true, events.Failf(events.CodeNotCSV, "the source looks like a web page, not CSV; "+
				"its URL probably leads to a login or an error page, so check where it leads without logging in")
		}
		if bytes.HasPrefix([]byte(tag), text) {
			sure = sure && len(head) == sniffSize // white space without end
		}
	}
	return skip, sure, nil
}
