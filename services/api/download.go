package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/services/api/refusal"
)

// download is a body that is sent while it is made, as fast as the client takes it. A client that takes nothing for [writeTime] is
// cut off.
type download struct {
	ctx    context.Context
	w      http.ResponseWriter
	media  string
	name   string // of the file that a browser makes of it
	log    *slog.Logger
	client *client
}

// send answers with what fill writes. Before that has written anything its error becomes a problem; thereafter the connection
// ends before the body does, so that nobody takes that for complete.
func (d *download) send(ending context.Context, fill func(ctx context.Context, out io.Writer) error) error {
	control := http.NewResponseController(d.w)
	if err := control.SetReadDeadline(time.Time{}); err != nil { // past it, the server would take the client for gone
		return fmt.Errorf("lifting the limit of a request: %w", err)
	}
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	defer context.AfterFunc(ending, cancel)()
	d.ctx = ctx
	err := fill(ctx, d)
	if err == nil && d.client == nil {
		err = d.begin()
	}
	switch {
	case d.client == nil && ending.Err() != nil:
		return refusal.New(refusal.DatasetsUnavailable, "the API ends at this moment; ask again").Because(err)
	case d.client == nil:
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // it fails only if the connection is closed
		return err
	case err != nil && !errors.Is(err, http.ErrBodyNotAllowed): // which that of HEAD is
		d.log.Debug("download broken off", "name", d.name, "err", err)
		d.client.abort()
	}
	d.client.close()
	return nil
}

// Write implements [io.Writer].
func (d *download) Write(data []byte) (int, error) {
	if d.client == nil {
		if err := d.begin(); err != nil {
			return 0, err
		}
	}
	if err := d.client.send(data); err != nil {
		return 0, err
	}
	return len(data), nil
}

func (d *download) begin() (err error) {
	header := d.w.Header()
	header.Set(echo.HeaderContentType, d.media)
	header.Set(echo.HeaderContentDisposition, attachment(d.name))
	header.Set("X-Content-Type-Options", "nosniff")
	d.client, err = newClient(d.ctx, d.w)
	return err
}

// attachment says that a browser is to make a file of a body, and what to call it (RFC 6266, RFC 8187). Of the name nothing is
// left that could end the header, or lead to another folder.
func attachment(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, strings.ToValidUTF8(name, "_"))
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}
