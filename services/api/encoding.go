package api

import (
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// byteOrderMarked is what files are said to be that tell their byte order themselves. The standard knows no such encoding
// and takes the label for UTF-16LE, which would spoil the other half of these files.
const byteOrderMarked = "utf-16"

// canonicalEncoding returns the name of the encoding that a label stands for in the WHATWG Encoding Standard, in lower
// case, or what is wrong with the label.
func canonicalEncoding(label string) (name, problem string) {
	if strings.EqualFold(strings.TrimSpace(label), byteOrderMarked) {
		return byteOrderMarked, ""
	}
	encoding, err := htmlindex.Get(label)
	if err != nil {
		return "", "is not a label of the WHATWG Encoding Standard, such as utf-8, utf-16, windows-1252 or shift_jis"
	}
	name, err = htmlindex.Name(encoding)
	switch {
	case err != nil || name == "replacement":
		return "", "stands for an encoding that the WHATWG Encoding Standard does not let be read; convert the file to UTF-8"
	case name == "iso-2022-jp":
		return "", "stands for an encoding that shifts between states, which is not supported; convert the file to UTF-8"
	case name == "x-user-defined":
		return "", "stands for no encoding of text; name the one in which the file is written"
	}
	return name, ""
}
