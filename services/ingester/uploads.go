package ingester

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"sluice/pkg/bus"
	"sluice/services/ingester/source"
)

// Uploads is the store of uploaded files, as the source of jobs.
type Uploads struct{ Store *bus.Uploads }

// Open implements [source.Uploads].
func (u Uploads) Open(ctx context.Context, id string) (*source.Upload, error) {
	reader, err := u.Store.Open(ctx, id)
	if err != nil {
		return nil, asMissing(err)
	}
	return &source.Upload{
		ReadCloser: uploadReader{reader}, Name: reader.Name, MediaType: reader.MediaType, Size: reader.Bytes, SHA256: reader.SHA256,
	}, nil
}

type uploadReader struct{ *bus.UploadReader }

// Read implements [io.Reader].
func (r uploadReader) Read(p []byte) (int, error) {
	n, err := r.UploadReader.Read(p)
	return n, asMissing(err)
}

// asMissing says in the words of the source that an upload is not there.
func asMissing(err error) error {
	if errors.Is(err, bus.ErrUploadNotFound) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// dropUpload removes the file of a job that has loaded it. If other jobs were accepted with it, status removes it when they
// have ended; and likewise what could not be removed now.
func (a *attempt) dropUpload(ctx context.Context) {
	id, is := a.job.Spec.Source.Upload()
	if !is {
		return
	}
	upload, err := a.parts.Bus.Uploads.Info(ctx, id)
	if err == nil && slices.Equal(upload.Jobs, []string{a.job.ID}) {
		err = a.parts.Bus.Uploads.Remove(ctx, upload)
	}
	if err != nil && !errors.Is(err, bus.ErrUploadNotFound) && !errors.Is(err, bus.ErrConflict) {
		a.log.Warn("upload not removed; status will", "upload", id, "err", err)
	}
}
