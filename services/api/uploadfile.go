package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	maxFileName  = 255 // bytes, as in most file systems
	maxMediaType = 255 // bytes
)

// sentFile is the file that a request carries.
type sentFile struct {
	name      string // fit to be shown; empty if it was not told
	mediaType string // empty if it was not told
	content   io.Reader
}

// fileIn finds the file in a request: it is the body, or in the form that the body is.
func fileIn(r openapi.CreateUploadRequestObject) (sentFile, error) {
	file := sentFile{content: r.Body}
	media, parameters, err := mime.ParseMediaType(r.ContentType)
	switch {
	case err == nil && media == echo.MIMEMultipartForm:
		if file, err = fileInForm(multipart.NewReader(r.Body, parameters["boundary"])); err != nil {
			return sentFile{}, err
		}
	case err == nil && media == echo.MIMEApplicationForm: // which curl says of any file
		file.content = &formText{body: r.Body}
	case err == nil:
		file.mediaType = r.ContentType
	}
	if len(file.mediaType) > maxMediaType || !utf8.ValidString(file.mediaType) {
		file.mediaType = ""
	}
	if r.Params.Filename != nil {
		file.name = *r.Params.Filename
	}
	if len(file.name) > maxFileName {
		return sentFile{}, refusal.New(refusal.InvalidRequest, fmt.Sprintf("filename is longer than %d bytes", maxFileName),
			refusal.At("filename", fmt.Sprintf("is longer than %d bytes", maxFileName)))
	}
	file.name = displayName(file.name)
	return file, nil
}

// displayName is the last part of a path, of whatever system, without what cannot be shown.
func displayName(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) { // among them control and direction characters
			return -1
		}
		return r
	}, name))
	if name == "." || name == ".." {
		return ""
	}
	return name
}

// fileInForm finds the file in a form. Fields that are no files are passed over.
func fileInForm(form *multipart.Reader) (sentFile, error) {
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return sentFile{}, refusal.New(refusal.InvalidRequest, "the form holds no file; send one as curl -F file=@trips.csv does")
		case err != nil:
			return sentFile{}, formError(err)
		case part.FileName() != "":
			content := &formFile{form: form, part: part}
			return sentFile{name: part.FileName(), mediaType: part.Header.Get(echo.HeaderContentType), content: content}, nil
		}
	}
}

// formFile is the content of a file in a form. It ends only when all of the form was read.
type formFile struct {
	form *multipart.Reader
	part *multipart.Part
}

// Read implements [io.Reader].
func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		return n, f.end()
	}
	return n, formError(err)
}

// end reads the form to its end, and returns [io.EOF] there if there is no other file.
func (f *formFile) end() error {
	for {
		part, err := f.form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return formError(err)
		case part.FileName() != "":
			return refusal.New(refusal.InvalidRequest, "the form holds several files; upload each by a request of its own")
		}
	}
}

// formError tells a form that breaks off from one that was never right.
func formError(err error) error {
	switch _, refused := errors.AsType[*refusal.Error](err); {
	case refused || errors.Is(err, errEnding):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusal.New(refusal.UploadIncomplete, "the form ends in the middle of the file; nothing of the file is kept").Because(err)
	}
	return refusal.New(refusal.InvalidRequest, "the form cannot be read; send one as curl -F file=@trips.csv does").Because(err)
}
