package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

// standardInput is the argument that stands for it.
const standardInput = "-"

// uploaded begins what names a file that was uploaded before.
const uploaded = "upload:"

// isLocal reports whether an argument names a file of this machine, or standard input.
func isLocal(argument string) bool {
	return !strings.HasPrefix(argument, uploaded) && !strings.Contains(argument, "://")
}

// source says where a file is, for a request's fields.
type source struct {
	headers []string
	member  string
	name    string
}

func (s *source) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.headers, "header-field", nil,
		`a header field to ask the URL with, such as "Accept: text/csv"; @FILE reads a field from each line, as secrets should be`)
	f.StringVar(&s.member, "member", "", "the file to take of a zip archive")
	f.StringVar(&s.name, "filename", "", "what an uploaded file is called, which gives the table its name if none is said")
}

// into puts the source that an argument names into the fields of a request. A file is uploaded first.
func (s *source) into(fields map[string]any, cmd *cobra.Command, c *client.Client, argument string) error {
	if s.member != "" {
		fields["member"] = s.member
	}
	if len(s.headers) > 0 {
		headers, err := headerFields(cmd, s.headers)
		if err != nil {
			return err
		}
		fields["headers"] = headers
	}
	delete(fields, "url") // of a body: the argument stands in its place
	delete(fields, "upload")
	switch {
	case strings.HasPrefix(argument, uploaded):
		fields["upload"] = argument
	case !isLocal(argument):
		fields["url"] = argument
	default:
		a, err := upload(cmd.Context(), cmd, c, argument, s.name)
		if err != nil {
			return err
		}
		fields["upload"] = a.Value.Upload
	}
	return nil
}

// headerFields reads fields in the form "Name: value", and files of them.
func headerFields(cmd *cobra.Command, given []string) (map[string]string, error) {
	headers := map[string]string{}
	for _, field := range given {
		lines := []string{field}
		if file, ok := strings.CutPrefix(field, "@"); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading --header-field: %w", err)
			}
			lines = strings.Split(strings.TrimSpace(string(text)), "\n")
		}
		for _, line := range lines {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
			if !ok || name == "" {
				return nil, wrong(cmd, `--header-field must be "Name: value"`) // it may be a secret, and is not repeated
			}
			headers[textproto.TrimString(name)] = textproto.TrimString(value)
		}
	}
	return headers, nil
}

// upload sends a file of this machine, or standard input, and shows how far it is.
func upload(ctx context.Context, cmd *cobra.Command, c *client.Client, path, name string) (client.Answer[client.Upload], error) {
	file, size, err := openFile(cmd, path)
	if err != nil {
		return client.Answer[client.Upload]{}, err
	}
	defer func() { _ = file.Close() }()
	if name == "" && path != standardInput {
		name = filepath.Base(path)
	}
	display := progress.New(os.Stderr, progressInterval)
	defer display.End()
	return c.Upload(ctx, name, &counting{Reader: file, display: display, size: size}, size)
}

// openFile returns a file, or standard input, and its size in bytes, -1 if it is not known.
func openFile(cmd *cobra.Command, path string) (io.ReadCloser, int64, error) {
	if path == standardInput {
		return io.NopCloser(cmd.InOrStdin()), -1, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%w; a URL begins with http:// or https://", err)
	case info.IsDir():
		return nil, 0, fmt.Errorf("%s is a folder; name a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info.Mode()&fs.ModeType != 0 { // a pipe or the like
		return file, -1, nil
	}
	return file, info.Size(), nil
}

// counting is a file of which is shown how much was read.
type counting struct {
	io.Reader
	display *progress.Display
	size    int64
	read    int64
	told    int64
}

// tellEvery is how much is read before it is shown, in bytes.
const tellEvery = 256 << 10

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	if c.read-c.told >= tellEvery || err == io.EOF && c.told > 0 {
		c.told = c.read
		s := progress.State{Name: "uploading", Bytes: c.read}
		if c.size > 0 {
			percent := float64(c.read) / float64(c.size) * 100
			s.Total, s.Percent = &c.size, &percent
		}
		c.display.Show(s)
	}
	return n, err
}
