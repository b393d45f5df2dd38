package ingester_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestProgress follows a file that comes in pieces, each one held back until the one before was reported.
func TestProgress(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const pieces = 3
	piece, next := make([]string, pieces), make(chan struct{})
	total := 0
	for i := range piece {
		head, tail := numbered(1000)
		piece[i] = head + tail
		total += len(piece[i])
	}
	answer := testenv.Answer{testenv.Head(200, fmt.Sprint("Content-Length: ", total)), testenv.Send(piece[0])}
	for _, p := range piece[1:] {
		answer = append(answer, testenv.Await(next), testenv.Send(p))
	}
	url := testenv.StartWeb(t).On("/file.csv", answer)
	e.start("w1")
	job := e.submit(newJob(url))
	for i := range pieces - 1 {
		want := int64(0)
		for _, p := range piece[:i+1] {
			want += int64(len(p))
		}
		e.awaitProgress(job, want)
		next <- struct{}{}
	}
	end := e.await(job, events.TypeSucceeded)
	e.checkProgress(job, int64(total))
	done := end.Data.(events.Succeeded).Figures
	if done.Phase != events.PhaseDone || done.Bytes != int64(total) || done.TotalBytes == nil || *done.TotalBytes != int64(total) ||
		done.Rows != pieces*1001-1 {
		t.Errorf("ended with %+v", done)
	}
}

func (e *env) awaitProgress(job events.Job, bytes int64) {
	e.t.Helper()
	testenv.Eventually(e.ctx, e.t, "progress", func() error {
		event, _, ok, err := e.bus.Events.Last(e.ctx, job.ID, events.TypeProgress)
		if err != nil || !ok {
			return errors.Join(errors.New("none yet"), err)
		}
		if event.Data.(events.Progress).Figures.Bytes < bytes {
			return errors.New("not that far")
		}
		return nil
	})
}

// checkProgress holds that reports come once a second, that what they tell only grows, and that the rates fit.
func (e *env) checkProgress(job events.Job, total int64) {
	e.t.Helper()
	var last events.Event
	var rates int64
	for _, event := range e.history(job) {
		if event.Type != events.TypeProgress {
			continue
		}
		now := event.Data.(events.Progress).Figures
		rates += now.BytesPerSecond
		if now.Phase != events.PhaseLoading || now.TotalBytes == nil || *now.TotalBytes != total || now.BytesPerSecond < 0 {
			e.t.Errorf("reported %+v", now)
		}
		if last.Data != nil {
			before := last.Data.(events.Progress).Figures
			gap := event.At.Sub(last.At)
			if now.Bytes < before.Bytes || now.Rows < before.Rows || event.Seq <= last.Seq || gap < 500*time.Millisecond || gap > 5*time.Second {
				e.t.Errorf("%+v was followed, %s later, by %+v", before, gap, now)
			}
		}
		last = event
	}
	if read := last.Data.(events.Progress).Figures.Bytes; rates != read {
		e.t.Errorf("the rates add up to %d bytes of %d", rates, read)
	}
}

// TestProgressOfASecondPass holds that a load that is gone on with tells of what is committed, and not of what came to nothing.
func TestProgressOfASecondPass(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	head, tail := numbered(20000)
	next := make(chan struct{})
	stopping := func(at int) testenv.Answer {
		return testenv.Answer{
			testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(head[:at]), testenv.Await(next),
			testenv.Chunk(head[at:] + tail), testenv.Chunk(""),
		}
	}
	web := testenv.StartWeb(t)
	url := web.On("/file.csv", stopping(len(head)), stopping(100))
	wire, proxied := e.proxiedDatabase()
	e.start("w1", proxied)
	job := e.submit(newJob(url))
	e.awaitProgress(job, int64(len(head)))
	wire.CutAt("COPY ", false)
	next <- struct{}{}
	var again events.Event
	testenv.Eventually(e.ctx, t, "a second request", func() error {
		if len(web.Requests()) < 2 {
			return errors.New("none yet")
		}
		again = e.await(job, events.TypeProgress)
		return nil
	})
	testenv.Eventually(e.ctx, t, "progress of the second pass", func() error {
		last := e.await(job, events.TypeProgress)
		if last.Seq <= again.Seq+1 { // which may have been told before
			return errors.New("none yet")
		}
		var bytes, rows int64
		if err := e.sql.QueryRow(e.ctx, "SELECT max(end_offset), sum(rows)::bigint FROM sluice.batches").Scan(&bytes, &rows); err != nil {
			return err
		}
		if f := last.Data.(events.Progress).Figures; f.Bytes != max(bytes, 100) || f.Rows != rows || f.BytesPerSecond != 0 {
			t.Errorf("reported %+v, and %d bytes with %d rows are committed", f, bytes, rows)
		}
		return nil
	})
	close(next)
	e.awaitEnd(job, events.StateSucceeded, 20000)
}
