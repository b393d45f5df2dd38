package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	sampleName = "tripsdata.csv"
	unfinished = ".part" // what a file is called besides its name while it is written
)

// prepareFiles makes the folder of files, if it is ours and not one that a user has named, and writes the sample into it
// if it is empty.
func prepareFiles(dir string, ours bool) error {
	if ours {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // served to anyone anyway
			return fmt.Errorf("making the folder of files: %w", err)
		}
	}
	present, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the folder of files (--files-dir): %w", err)
	}
	for _, entry := range present {
		if entry.Name() != sampleName+unfinished { // left by a run that was killed
			return nil
		}
	}
	if err := writeSample(filepath.Join(dir, sampleName)); err != nil {
		return fmt.Errorf("writing the sample file: %w", err)
	}
	return nil
}

// serveFiles serves the folder until ctx ends.
func serveFiles(ctx context.Context, l net.Listener, dir string) error {
	s := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving files: %w", err)
	}
	return nil
}
