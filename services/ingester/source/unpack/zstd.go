package unpack

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxWindow is how many bytes a zstd frame may refer back: as many as the zstd command takes without being asked.
const maxWindow = 128 << 20

var (
	errWindow     = errors.New("the window is too large")
	errDictionary = errors.New("a dictionary is needed")
)

// zstdFrames decompresses zstd (RFC 8878), all frames one after the other.
type zstdFrames struct {
	decoder *zstd.Decoder
}

func newZstd(src *bufio.Reader) io.Reader {
	// Without concurrency nothing is left running when it is not read to its end, and nothing is read ahead.
	decoder, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return failing{err}
	}
	return zstdFrames{decoder}
}

// Read implements [io.Reader].
func (z zstdFrames) Read(p []byte) (int, error) {
	n, err := z.decoder.Read(p)
	switch {
	case errors.Is(err, zstd.ErrMagicMismatch):
		err = trailing(4) // which were to be the next frame's magic number
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		err = errWindow
	case errors.Is(err, zstd.ErrUnknownDictionary):
		err = errDictionary
	case errors.Is(err, zstd.ErrCRCMismatch):
		err = damaged("its checksum is another one")
	}
	return n, err
}
