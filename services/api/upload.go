package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

const (
	// maxUploads bounds how many files come in at once, each of which takes half a MiB of memory.
	maxUploads = 64
	// uploadMargin is how long before its age an upload is not to be had any more for a new job. Status, whose clock may differ,
	// removes none that is younger than that.
	uploadMargin = time.Hour
)

// intake is what uploads under way have in common.
type intake struct {
	slots  chan struct{} // holds one for each
	pace   time.Duration // in which some of a file has to come
	ending context.Context
	end    context.CancelCauseFunc
}

func newIntake() *intake {
	ending, end := context.WithCancelCause(context.Background())
	return &intake{slots: make(chan struct{}, maxUploads), pace: paceTime, ending: ending, end: end}
}

// CreateUpload stores the request's body as a file.
func (s *Service) CreateUpload(ctx context.Context, r openapi.CreateUploadRequestObject) (openapi.CreateUploadResponseObject, error) {
	select {
	case s.intake.slots <- struct{}{}:
		defer func() { <-s.intake.slots }()
	default:
		return nil, refusal.New(refusal.UploadUnavailable, fmt.Sprintf("%d files are being uploaded at the moment; try again later", maxUploads))
	}
	sent, err := fileIn(r)
	var u bus.Upload
	if err == nil {
		u, err = s.bus.Uploads.Put(ctx, sent.name, sent.mediaType, sent.content)
	}
	if err != nil {
		return nil, uploadError(ctx, err)
	}
	s.config.Log.Info("file uploaded", "upload", u.ID, "bytes", u.Bytes)
	return openapi.CreateUpload201JSONResponse{Upload: events.UploadScheme + u.ID, Bytes: u.Bytes, SHA256: u.SHA256}, nil
}

// uploadError tells the caller why there is no upload. What is wrong with the body is told by that.
func uploadError(ctx context.Context, err error) error {
	_, refused := errors.AsType[*refusal.Error](err)
	switch {
	case refused:
		return err
	case errors.Is(err, bus.ErrUploadEmpty):
		return refusal.New(refusal.EmptyUpload, "the file has no bytes; check its name where you send it from")
	case errors.Is(context.Cause(ctx), errEnding):
		return refusal.New(refusal.UploadUnavailable, "the API is being shut down; upload the file again").Because(err)
	case errors.Is(err, bus.ErrUnavailable):
		return refusal.New(refusal.UploadUnavailable,
			"the store of uploads does not answer or has no room; nothing of the file is kept").Because(err)
	}
	return err
}

// reserve sees to it that the job's file is there until the job has ended, if it is an upload. With keyed, the job may have been
// accepted before: what has become of its file since is then no matter.
func (s *Service) reserve(ctx context.Context, jobID string, wanted request, keyed bool) error {
	upload := wanted.url.Opaque
	if upload == "" {
		return nil
	}
	err := s.bus.Uploads.Reserve(ctx, upload, jobID, s.now().Add(uploadMargin-bus.UploadsMaxAge))
	switch {
	case errors.Is(err, bus.ErrUploadReserved):
		return refusal.New(refusal.InvalidRequest, "upload is named by too many jobs; upload the file again",
			refusal.At("/upload", "is named by too many jobs")).Because(err)
	case !errors.Is(err, bus.ErrUploadNotFound):
		return err
	}
	if keyed {
		if accepted, err := s.accepted(ctx, jobID); err != nil || accepted {
			return err
		}
	}
	return refusal.New(refusal.UploadNotFound,
		"the file was removed, as a job has loaded it or it was uploaded too long ago, or it never was there; "+
			"upload it again", refusal.At("/upload", "is not there")).Because(err)
}
