// Package source opens the bytes of a job's file, wherever it is, and decompresses them. It knows neither the queue nor the
// database.
//
// Servers and files are not trusted: an [Opener] reaches public addresses and the folders that it was given only, bounds what
// they may cost, and turns whatever goes wrong into an [events.Failure] that tells users what to do and holds no secret of the
// address.
package source

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"sluice/pkg/events"
)

// Request says which file is wanted.
type Request struct {
	URL     string            // http, https, file (RFC 8089), or upload and an id
	Headers map[string]string // to ask a web server with; only the host of URL gets them
	Member  string            // of a zip archive; "" for the one CSV file that it holds
}

// origin is where files come from: the web, folders of this machine, the store of uploads.
type origin interface {
	// open asks for a file, or for the rest of it if r is not nil. What it does not give in part it gives whole. trip ends when
	// the file is closed, or stalls; ctx is the caller's.
	open(trip context.Context, wanted Request, r *rest) (*answered, error)
}

// Opener opens files. It is safe for concurrent use.
type Opener struct {
	limits  Limits
	web     *web
	folders *folders
	uploads Uploads
}

// New returns an opener that keeps to cfg. It fails when cfg has a bad limit, folder or entry in Allow, and names it.
func New(cfg Config) (*Opener, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	web, err := newWeb(cfg)
	if err != nil {
		return nil, fmt.Errorf("SLUICE_SOURCE_ALLOW (--source-allow): %w", err)
	}
	folders, err := newFolders(cfg.Folders)
	if err != nil {
		return nil, fmt.Errorf("SLUICE_SOURCE_FOLDERS (--source-folders): %w", err)
	}
	return &Opener{limits: cfg.Limits, web: web, folders: folders, uploads: cfg.Uploads}, nil
}

// Open returns the body of a file. On the web that takes one GET (RFC 9110, section 9.3.1); redirects are followed, and user
// and password in the URL become Basic authorization (RFC 7617) for that host alone.
//
// Its errors are an [*events.Failure], or ctx's error once ctx is done. ctx also ends the reading of the body, so it
// must live as long as that. The caller closes the body.
func (o *Opener) Open(ctx context.Context, wanted Request) (*Body, error) {
	return o.open(ctx, wanted, nil)
}

// open asks for the rest of a file, or for the whole if r is nil.
func (o *Opener) open(ctx context.Context, wanted Request, r *rest) (*Body, error) {
	from := o.origin(wanted.URL)
	trip, end := context.WithCancelCause(ctx)
	file, err := from.open(trip, wanted, r)
	if err != nil {
		end(nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	if file.size > o.limits.Size {
		end(nil)
		_ = file.content.Close() // unread
		return nil, tooLarge(file.at, o.limits.Size)
	}
	body := newBody(newWire(ctx, trip, end, file, o.limits), wanted.Member)
	if r == nil {
		return body, nil
	}
	if err := body.goOn(r); err != nil {
		_ = body.Close() // the failure says more
		return nil, err
	}
	return body, nil
}

func (o *Opener) origin(rawURL string) origin {
	scheme, _, _ := strings.Cut(rawURL, ":")
	switch strings.ToLower(scheme) + ":" {
	case events.UploadScheme:
		return uploaded{o.uploads}
	case "file:":
		return o.folders
	}
	return o.web // which refuses what is none of its own
}

// answered is a file that an origin gives.
type answered struct {
	about
	content rawContent
}

// about is what is known of a file before it is read.
type about struct {
	at        fmt.Stringer // the address, as it may be shown
	name      string       // for people to read; "" if there is none
	charset   string       // by what the server says
	start     int64        // byte offset of the first byte that is given
	size      int64        // of the whole file; negative if unknown
	framed    bool         // whether its end is marked, so that one that was cut off does not look complete
	validator Validator
}

// rawContent is a file's bytes as they lie or are sent.
type rawContent interface {
	Read(p []byte) (int, error)
	Close() error
	// broke says why reading ended too early, at a place such as "5 of 10 bytes", with err.
	broke(err error, at fmt.Stringer, place string) *events.Failure
}

// shownURL is an address without anything secret.
type shownURL struct{ url *url.URL }

func (s shownURL) String() string { return show(s.url) }
