package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"sluice/pkg/events"
)

// Uploads is the store of uploaded files.
type Uploads interface {
	// Open returns a file by its id. Its error, and those of reading, wrap fs.ErrNotExist when the file is not there.
	Open(ctx context.Context, id string) (*Upload, error)
}

// Upload is an uploaded file. Its reader returns io.EOF only if all of it was read as it was uploaded.
type Upload struct {
	io.ReadCloser
	Name      string // as it was uploaded; "" if it had none
	MediaType string // as it was uploaded; "" if it had none
	Size      int64  // bytes
	SHA256    string // in hex
}

// uploaded opens what was uploaded.
type uploaded struct{ store Uploads }

func (u uploaded) open(trip context.Context, wanted Request, r *rest) (*answered, error) {
	at := shownUpload(wanted.URL)
	if u.store == nil {
		return nil, events.Failf(events.CodeSourceUnsupported,
			"%s cannot be read, as this ingester has no store of uploads; have the operator set one up", at)
	}
	_, id, _ := strings.Cut(wanted.URL, ":")
	file, err := u.store.Open(trip, id)
	if err != nil {
		return nil, uploadFailure(err, at)
	}
	a := &answered{
		about: about{
			at: at, name: cleanName(file.Name), charset: charsetOf(file.MediaType), size: file.Size, framed: true,
			validator: Validator{ETag: `"` + file.SHA256 + `"`, Length: file.Size, Place: placeHash(events.UploadScheme)},
		},
		content: uploadContent{file},
	}
	if r == nil {
		return a, nil
	}
	if err := r.checkAll(a.validator, a.size); err != nil { // it cannot be another one under the same id
		_ = file.Close() // nothing was written
		return nil, err
	}
	return a, nil
}

// shownUpload is an upload's address, which has no secret.
type shownUpload string

func (s shownUpload) String() string { return cut(string(s), maxShown) }

type uploadContent struct{ *Upload }

func (uploadContent) broke(err error, at fmt.Stringer, _ string) *events.Failure {
	return uploadFailure(err, at)
}

func uploadFailure(err error, at fmt.Stringer) *events.Failure {
	if errors.Is(err, fs.ErrNotExist) {
		return events.Failf(events.CodeUploadNotFound, "%s is not there any more; upload the file again and load it with a new job", at)
	}
	return events.Failf(events.CodeSourceUnavailable, "%s cannot be read from the store of uploads now; check NATS or try again later", at).
		CausedBy(err)
}
