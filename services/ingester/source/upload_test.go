package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/pkg/events"
)

// store is one of uploads by their ids, whose files break off after so many bytes with an error, if there is one.
type store struct {
	files  map[string]string
	breaks int
	err    error
}

func (s *store) Open(_ context.Context, id string) (*Upload, error) {
	text, found := s.files[id]
	if !found {
		return nil, fmt.Errorf("looking for %s: %w", id, fs.ErrNotExist)
	}
	sum := sha256.Sum256([]byte(text))
	var content io.Reader = strings.NewReader(text)
	if s.err != nil {
		content = io.MultiReader(strings.NewReader(text[:s.breaks]), iotest.ErrReader(s.err))
	}
	return &Upload{
		ReadCloser: io.NopCloser(content), Name: "dir/trips.csv", MediaType: "text/csv; charset=iso-8859-1", Size: int64(len(text)),
		SHA256: hex.EncodeToString(sum[:]),
	}, nil
}

func TestUpload(t *testing.T) {
	o := newSource(t, func(c *Config) {
		c.Uploads = &store{files: map[string]string{"one": file, "two": string(gzipped(t, file))}}
	})
	for _, url := range []string{"upload:one", "upload:two"} {
		body := open(t, o, url)
		text, err := io.ReadAll(body)
		if err != nil || string(text) != file || body.Name() != "dir_trips.csv" || body.Charset() != "iso-8859-1" || !body.LengthVerified() {
			t.Errorf("%s: read %d bytes of %q in %q, %v", url, len(text), body.Name(), body.Charset(), err)
		}
	}
	wantFailure(t, openErr(t, o, "upload:three"), events.CodeUploadNotFound, "upload:three")
	wantFailure(t, openErr(t, newSource(t), "upload:one"), events.CodeSourceUnsupported, "no store of uploads")
	wantFailure(t, openErr(t, o, redirectTo(t, "upload:one")), events.CodeSourceRedirects)
}

func TestUploadBreaksOff(t *testing.T) {
	for code, err := range map[events.Code]error{
		events.CodeSourceUnavailable: errors.New("NATS is away"),
		events.CodeUploadNotFound:    fmt.Errorf("reading on: %w", fs.ErrNotExist),
	} {
		o := newSource(t, func(c *Config) { c.Uploads = &store{map[string]string{"one": file}, 5000, err} })
		text, got := io.ReadAll(open(t, o, "upload:one"))
		wantFailure(t, got, code, "upload:one")
		if string(text) != file[:5000] {
			t.Errorf("read %d bytes", len(text))
		}
	}
}

func TestUploadIsResumed(t *testing.T) {
	o := newSource(t, func(c *Config) { c.Uploads = &store{files: map[string]string{"one": file}} })
	first := open(t, o, "upload:one")
	if _, err := io.CopyN(io.Discard, first, readAt); err != nil {
		t.Fatal(err)
	}
	at := Point{Offset: readAt, Digest: first.Digest(), Was: first.Validator()}
	body, err := o.Resume(t.Context(), Request{URL: "upload:one"}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if body.Offset() != 0 || !body.Vouches(int64(len(file))) {
		t.Errorf("starts at %d, vouches %v", body.Offset(), body.Vouches(int64(len(file))))
	}
	wantRest(t, body, file)
}
