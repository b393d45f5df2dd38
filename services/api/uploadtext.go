package api

import (
	"bytes"
	"io"

	"sluice/services/api/refusal"
)

// formText is a body that claims to be a form, as curl says of any file. It ends with a refusal if it is text of one line: then it
// was sent with -d, which drops all line ends, or is the name of a file whose @ was forgotten.
type formText struct {
	body   io.Reader
	binary bool // whether there was a line end, or what is no text at all
	some   bool
}

// Read implements [io.Reader].
func (f *formText) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	f.some = f.some || n > 0
	f.binary = f.binary || bytes.ContainsFunc(p[:n], func(r rune) bool { return r < ' ' && r != '\t' })
	if err == io.EOF && f.some && !f.binary {
		return n, refusal.New(refusal.NotAFile,
			"the body is a single line of text without an end, as curl -d makes of a file, or the name of one; "+
				"send the file with curl -X POST -T trips.csv, or --data-binary @trips.csv")
	}
	return n, err
}
