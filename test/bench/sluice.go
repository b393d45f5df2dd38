package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"sluice/test/bench/proc"
)

// startTime is how long Sluice may take to start.
const startTime = time.Minute

// sluice is the whole of it in two processes: the ingester, which is measured by itself, and all the rest.
type sluice struct {
	rest, ingester *proc.Child
	api            string
}

// startSluice runs what build has built into dir, on the given database.
func startSluice(ctx context.Context, dir, database string, settings []string) (s *sluice, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it takes too long"))
	defer cancel()
	const free = "127.0.0.1:0"
	home := filepath.Join(dir, "sluice-data")
	if err := os.RemoveAll(home); err != nil { // of the server before
		return nil, fmt.Errorf("making a place for Sluice's data: %w", err)
	}
	s = &sluice{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	s.rest, err = proc.Start(program(dir, "sluice", nil, "up", "--data-dir", home, "--postgres-url", database, "--ingesters", "0",
		"--api-addr", free, "--nats-addr", free, "--nats-monitor-addr", free, "--files-addr", free))
	if err != nil {
		return s, err
	}
	if err := s.rest.Await(ctx, "READY"); err != nil {
		return s, err
	}
	s.api = "http://" + s.announced("API")
	settings = append([]string{"SLUICE_SOURCE_ALLOW=127.0.0.0/8"}, settings...)
	s.ingester, err = proc.Start(program(dir, "sluice-ingester", settings, "--nats-url", s.announced("NATS"), "--postgres-url", database))
	if err != nil {
		return s, err
	}
	return s, s.ingester.Await(ctx, "health and metrics") // it serves once it has all that it needs
}

// program is run with nothing of our environment but what every program needs.
func program(dir, name string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(dir, name), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	return cmd
}

// announced is the address that stands behind a word of the announcement.
func (s *sluice) announced(word string) string {
	found := regexp.MustCompile(`(?m)^ +` + word + ` +(?:http://)?(\S+)`).FindStringSubmatch(s.rest.Said())
	if found == nil {
		return "" // which cannot be connected to
	}
	return found[1]
}

func (s *sluice) stop() error {
	var failed []error
	for _, child := range []*proc.Child{s.ingester, s.rest} {
		if child != nil {
			failed = append(failed, child.Stop())
		}
	}
	return errors.Join(failed...)
}
