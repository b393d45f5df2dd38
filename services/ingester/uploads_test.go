package ingester_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester"
	"sluice/services/ingester/source"
)

// uploading lets a worker load what was uploaded.
func (e *env) uploading(_ *ingester.Config, parts *ingester.Parts) {
	config := source.DefaultConfig()
	config.Uploads = ingester.Uploads{Store: e.bus.Uploads}
	opener, err := source.New(config)
	if err != nil {
		e.t.Fatal(err)
	}
	parts.Source = opener
}

// upload stores a file, and returns it with a job for it that was accepted.
func (e *env) upload(name, text string, changes ...func(*events.Spec)) (bus.Upload, events.Job) {
	e.t.Helper()
	u, err := e.bus.Uploads.Put(e.ctx, name, "text/csv", strings.NewReader(text))
	if err != nil {
		e.t.Fatal(err)
	}
	job := newJob(events.UploadScheme+u.ID, changes...)
	e.reserve(u, job)
	return u, job
}

func (e *env) reserve(u bus.Upload, job events.Job) {
	e.t.Helper()
	if err := e.bus.Uploads.Reserve(e.ctx, u.ID, job.ID, time.Time{}); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) awaitRemoved(u bus.Upload) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "the upload is removed", func() error {
		_, err := e.bus.Uploads.Info(e.ctx, u.ID)
		if errors.Is(err, bus.ErrUploadNotFound) {
			return nil
		}
		return errors.Join(err, errors.New("it is there"))
	})
}

func (e *env) expectKept(u bus.Upload) {
	e.t.Helper()
	if _, err := e.bus.Uploads.Info(e.ctx, u.ID); err != nil {
		e.t.Error(err)
	}
}

// numbers is a file of so many numbered rows.
func numbers(rows int) string {
	var text strings.Builder
	text.WriteString("n\n")
	for n := range rows {
		fmt.Fprintln(&text, n)
	}
	return text.String()
}

func TestUploadIsLoadedAndRemoved(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const rows = 300_000 // several chunks
	u, job := e.upload("trips.csv", numbers(rows))
	e.start("w1", e.uploading)
	e.submit(job)
	end := e.awaitEnd(job, events.StateSucceeded, rows)
	result := end.Data.(events.Succeeded).Result
	if result.Checksum != "sha256:"+u.SHA256 || result.Bytes != u.Bytes {
		t.Errorf("the result is of %d bytes with %s, uploaded were %d with %s", result.Bytes, result.Checksum, u.Bytes, u.SHA256)
	}
	e.awaitRemoved(u)
}

func TestTableIsCalledAfterTheUpload(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	_, job := e.upload("Bike trips.csv.gz", numbers(3), func(s *events.Spec) { s.Table = "" })
	e.start("w1", e.uploading)
	e.submit(job)
	end := e.await(job, events.TypeSucceeded)
	if table := end.Data.(events.Succeeded).Result.Table; !strings.HasPrefix(table, "Bike_trips_") {
		t.Errorf("the table is called %s", table)
	}
}

// TestUploadIsKept holds that an upload stays that another job was accepted with, or whose job may be run again.
func TestUploadIsKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text  string
		other bool
		end   events.State
	}{
		"for another job": {numbers(3), true, events.StateSucceeded},
		"after a failure": {"a\n\"never closed\n", false, events.StateFailed},
		"for both":        {"a\n\"never closed\n", true, events.StateFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			u, job := e.upload("a.csv", tt.text)
			if tt.other {
				e.reserve(u, newJob(job.Spec.Source.URL))
			}
			w := e.start("w1", e.uploading)
			e.submit(job)
			e.awaitEnd(job, tt.end, 3)
			e.end(w) // it is through with the job then
			e.expectKept(u)
		})
	}
}

func TestMissingUpload(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	u, job := e.upload("a.csv", numbers(3))
	now, err := e.bus.Uploads.Info(e.ctx, u.ID)
	if err == nil {
		err = e.bus.Uploads.Remove(e.ctx, now)
	}
	if err != nil {
		t.Fatal(err)
	}
	e.start("w1", e.uploading)
	e.submit(job)
	end := e.awaitEnd(job, events.StateFailed, 0)
	if f := end.Data.(events.Failed).Failure; f.Code != events.CodeUploadNotFound || f.Retryable {
		t.Errorf("it has failed with %+v", f)
	}
}

// TestUploadOutlivesAnOutage holds that a job goes on when NATS, which has its file, was away.
func TestUploadOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const rows = 3_000_000
	u, job := e.upload("a.csv", numbers(rows))
	wire, proxied := e.proxiedNATS("w1")
	e.start("w1", proxied, func(c *ingester.Config, parts *ingester.Parts) {
		config := source.DefaultConfig()
		config.Uploads = ingester.Uploads{Store: parts.Bus.Uploads}
		opener, err := source.New(config)
		if err != nil {
			t.Fatal(err)
		}
		parts.Source, c.BatchTime = opener, 10*time.Millisecond
	})
	e.submit(job)
	e.awaitBatches(job)
	wire.Cut()
	<-time.After(500 * time.Millisecond)
	wire.Restore()
	e.awaitEnd(job, events.StateSucceeded, rows)
	e.awaitRemoved(u)
}
