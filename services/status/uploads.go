package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// UploadRules say when uploads are removed.
type UploadRules struct {
	Every time.Duration // how often it is looked for them
	Age   time.Duration // of one that no job has loaded, since it was uploaded and since the last job with it has ended
	// Margin is how long nothing may have happened to an upload, by the clock of its store: longer than it takes from reserving
	// it to accepting the job, and from one chunk of a file to the next.
	Margin time.Duration
}

// DefaultUploadRules returns the rules for production.
func DefaultUploadRules() UploadRules {
	return UploadRules{Every: 10 * time.Minute, Age: bus.UploadsMaxAge, Margin: time.Hour}
}

func (r UploadRules) valid() bool {
	return r.Every >= time.Millisecond && r.Age >= time.Millisecond && r.Margin >= time.Millisecond
}

// uploadSweeper removes uploads that no job needs, and what remains of uploads that were not completed.
//
// It never removes the file of a job that was accepted and has not ended, however far its index is behind. A job is accepted, or
// run again, only after its upload was reserved for it, and an upload is removed only as it was read, which a reservation
// changes ([bus.Uploads.Remove]). So it is enough that of each job that an upload was read to be reserved for one of these
// is sure:
//   - it has succeeded, and will not be run again;
//   - it has ended otherwise, and the history does not tell of a later run;
//   - the history has nothing of it, a Margin after the reservation: whoever reserved the upload has ended before the job was
//     accepted. Or the job has ended so long ago that its events are gone.
//
// The same holds for any number of replicas, of which one removes an upload and the others find it gone or changed.
type uploadSweeper struct {
	bus   *bus.Bus
	index *index
	rules UploadRules
	stock func(context.Context) (bus.Stock, error) // of uploads
	now   func() time.Time
	log   *slog.Logger
}

func newUploadSweeper(config Config, b *bus.Bus, x *index) *uploadSweeper {
	return &uploadSweeper{bus: b, index: x, rules: config.Uploads, stock: b.Uploads.All, now: time.Now, log: config.Log}
}

// run sweeps until ctx ends.
func (s *uploadSweeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.rules.Every/2 + rand.N(s.rules.Every)): //nolint:gosec // at other times than other replicas
		}
		if err := s.pass(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("uploads are not swept; trying again", "err", err)
		}
	}
}

func (s *uploadSweeper) pass(ctx context.Context) error {
	stock, err := s.stock(ctx)
	if err != nil {
		return err
	}
	for _, u := range stock.Uploads {
		if stock.At.Sub(u.ReservedAt) < s.rules.Margin {
			continue
		}
		if err := s.sweep(ctx, u); err != nil {
			return err
		}
	}
	for _, r := range stock.Remains {
		if err := s.clear(ctx, r, stock.At.Sub(r.At)); err != nil {
			return err
		}
	}
	return nil
}

func (s *uploadSweeper) sweep(ctx context.Context, u bus.Upload) error {
	if needed, err := s.needed(ctx, u); err != nil || needed {
		return err
	}
	err := s.bus.Uploads.Remove(ctx, u)
	if errors.Is(err, bus.ErrConflict) { // someone else was faster, or needs it after all
		return nil
	}
	if err == nil {
		s.log.Info("upload removed", "upload", u.ID, "bytes", u.Bytes, "jobs", len(u.Jobs))
	}
	return err
}

// needed reports whether an upload has to be kept, for a job or for its age.
func (s *uploadSweeper) needed(ctx context.Context, u bus.Upload) (bool, error) {
	last, loaded := u.At, false
	jobs := s.index.reservedBy(u)
	for _, job := range jobs {
		switch {
		case job.State == "": // is for the history to tell
		case !job.State.Terminal():
			return true, nil
		case job.State == events.StateSucceeded:
			loaded = true
		case job.FinishedAt.After(last):
			last = *job.FinishedAt
		}
	}
	if !loaded && s.now().Sub(last) < s.rules.Age {
		return true, nil
	}
	for _, job := range jobs {
		if under, err := s.underway(ctx, job); err != nil || under {
			return true, err
		}
	}
	return false, nil
}

// underway reports whether the history knows of a run that has not ended as far as the index knows.
func (s *uploadSweeper) underway(ctx context.Context, job events.Status) (bool, error) {
	switch job.State {
	case events.StateSucceeded:
		return false, nil
	case "":
		return s.bus.Events.Knows(ctx, job.ID)
	}
	redriven, _, _, err := s.bus.Events.Last(ctx, job.ID, events.TypeRedriven)
	return redriven.Run > job.Run, err
}

// clear deletes what remains of an upload that nobody completes any more, and the mark of one that was removed long ago.
func (s *uploadSweeper) clear(ctx context.Context, r bus.Remains, age time.Duration) error {
	switch {
	case !r.Removed && age < s.rules.Margin:
		return nil
	case r.Removed && r.Chunks == 0 && age < s.rules.Age: // the mark keeps one that comes to its end very late from being one
		return nil
	}
	err := s.bus.Uploads.Clear(ctx, r)
	if errors.Is(err, bus.ErrConflict) { // it was completed just now
		return nil
	}
	if err != nil {
		return fmt.Errorf("clearing away what remains of upload %s: %w", r.ID, err)
	}
	if r.Chunks > 0 {
		s.log.Info("remains of an upload cleared away", "upload", r.ID, "chunks", r.Chunks)
	}
	return nil
}

// reservedBy returns the jobs that an upload is reserved for. One that is not known has no state. One that is known to have
// another file is left out: its idempotency key was used for another request before.
func (x *index) reservedBy(u bus.Upload) []events.Status {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var jobs []events.Status
	for _, jobID := range u.Jobs {
		e, known := x.byID[jobID]
		if !known {
			jobs = append(jobs, events.Status{ID: jobID})
			continue
		}
		if id, is := e.status.Spec.Source.Upload(); is && id == u.ID {
			jobs = append(jobs, e.status)
		}
	}
	return jobs
}
