package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

// noUpload names an upload that there never is: by the nil UUID (RFC 9562, section 5.9).
const noUpload = uploaded + "00000000-0000-0000-0000-000000000000"

// asking completes the fields of a request with the source that an argument names, and sends the request by ask. A file of this
// machine is uploaded in between, if the API has nothing against the rest.
func (s *session) asking(
	cmd *cobra.Command, c *client.Client, fields map[string]any, from *source, argument string, ask func(body []byte) error,
) error {
	if err := from.into(fields, cmd, argument); err != nil {
		return err
	}
	if !isLocal(argument) {
		return sent(fields, ask)
	}
	a, err := s.upload(cmd, c, argument, from.name, func() error {
		fields["upload"] = noUpload
		defer delete(fields, "upload")
		err := sent(fields, ask)
		if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == "upload_not_found" { // which the API looks for last
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	fields["upload"] = a.Value.Upload
	return sent(fields, ask)
}

// sent sends the fields of a request.
func sent(fields map[string]any, ask func(body []byte) error) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	return ask(body)
}

// upload sends a file of this machine, or standard input, and shows how far it is. What must go well before is done once the file is
// open.
func (s *session) upload(
	cmd *cobra.Command, c *client.Client, path, name string, before func() error,
) (client.Answer[client.Upload], error) {
	file, size, err := openFile(cmd, path)
	if err != nil {
		return client.Answer[client.Upload]{}, err
	}
	defer func() { _ = file.Close() }()
	if err := before(); err != nil {
		return client.Answer[client.Upload]{}, err
	}
	if name == "" && path != standardInput {
		name = filepath.Base(path)
	}
	defer s.display.End()
	return c.Upload(cmd.Context(), name, &counting{Reader: file, display: s.display, size: size}, size)
}
