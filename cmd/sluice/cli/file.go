package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sluice/cmd/sluice/progress"
)

// openFile returns a file, or standard input, and its size in bytes, -1 if it is not known.
func openFile(cmd *cobra.Command, path string) (io.ReadCloser, int64, error) {
	if path == standardInput {
		return openInput(cmd), -1, nil
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

// openInput returns standard input. Ctrl-C ends its reading, also while a terminal waits for a line.
func openInput(cmd *cobra.Command) io.ReadCloser {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		cmd.PrintErrln("reading from the terminal; Ctrl-D on a new line ends it")
	}
	input, out := io.Pipe()
	go func() {
		_, err := io.Copy(out, cmd.InOrStdin())
		_ = out.CloseWithError(err) // which never fails
	}()
	context.AfterFunc(cmd.Context(), func() { _ = out.CloseWithError(context.Cause(cmd.Context())) })
	return input
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
