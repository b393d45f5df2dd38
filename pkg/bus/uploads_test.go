package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestUploadIsReservedUntilItIsRemoved(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u := put(ctx, t, uploads, 3)
	for _, job := range []string{"a", "b", "a"} {
		if err := uploads.Reserve(ctx, u.ID, job, u.At); err != nil {
			t.Fatal(err)
		}
	}
	now := info(ctx, t, uploads, u.ID)
	if !slices.Equal(now.Jobs, []string{"a", "b"}) || now.SHA256 != u.SHA256 || !now.At.Equal(u.At) || now.Name != u.Name {
		t.Errorf("reserved it is %+v, was stored as %+v", now, u)
	}
	if err := uploads.Reserve(ctx, u.ID, "c", u.At.Add(1)); !errors.Is(err, bus.ErrUploadNotFound) {
		t.Errorf("reserving one that is too old: %v", err)
	}
	if err := uploads.Reserve(ctx, u.ID, "a", time.Time{}); err != nil { // as when it is run again
		t.Fatal(err)
	}
	if err := uploads.Remove(ctx, now); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("removing one that was reserved meanwhile: %v", err)
	}
	now = info(ctx, t, uploads, u.ID)
	if err := uploads.Remove(ctx, now); err != nil {
		t.Fatal(err)
	}
	if err := uploads.Remove(ctx, now); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("removing one that was removed: %v", err)
	}
	notFound(ctx, t, uploads, u.ID)
}

func TestUnknownUploads(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u := put(ctx, t, uploads, 1)
	for _, id := range []string{"", "x", "*", ">", uuid.NewString(), strings.ToUpper(u.ID), "{" + u.ID + "}"} {
		notFound(ctx, t, uploads, id)
	}
}

func notFound(ctx context.Context, t *testing.T, uploads *bus.Uploads, id string) {
	t.Helper()
	if _, err := uploads.Info(ctx, id); !errors.Is(err, bus.ErrUploadNotFound) {
		t.Errorf("info on %q: %v", id, err)
	}
	if _, err := uploads.Open(ctx, id); !errors.Is(err, bus.ErrUploadNotFound) {
		t.Errorf("opening %q: %v", id, err)
	}
	if err := uploads.Reserve(ctx, id, "job", time.Time{}); !errors.Is(err, bus.ErrUploadNotFound) {
		t.Errorf("reserving %q: %v", id, err)
	}
}

// TestReserveOrRemove holds that of those who reserve an upload and those who remove it as they have read it one side wins:
// either nobody's reservation was confirmed, or it is still there.
func TestReserveOrRemove(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	reserveOrRemove(ctx, t, [3]*bus.Bus{n.Bus("a"), n.Bus("b"), n.Bus("c")})
}

func reserveOrRemove(ctx context.Context, t *testing.T, all [3]*bus.Bus) {
	for round := range 20 {
		u := put(ctx, t, all[round%3].Uploads, 1)
		var rivals sync.WaitGroup
		reserved, removed := make([]error, 3), make([]error, 3)
		for i, b := range all {
			rivals.Go(func() { reserved[i] = b.Uploads.Reserve(ctx, u.ID, fmt.Sprint("job-", i), time.Time{}) })
			rivals.Go(func() {
				now, err := b.Uploads.Info(ctx, u.ID)
				if err == nil && len(now.Jobs) > 0 {
					err = bus.ErrConflict
				}
				if err == nil {
					err = b.Uploads.Remove(ctx, now)
				}
				removed[i] = err
			})
		}
		rivals.Wait()
		now, err := all[(round+1)%3].Uploads.Info(ctx, u.ID)
		for i := range all {
			there := err == nil && slices.Contains(now.Jobs, fmt.Sprint("job-", i))
			if there != (reserved[i] == nil) || reserved[i] != nil && !errors.Is(reserved[i], bus.ErrUploadNotFound) {
				t.Errorf("reserving is answered with %v, there is %+v (%v)", reserved[i], now, err)
			}
			if removed[i] == nil && err == nil {
				t.Errorf("removed and there: %+v", now)
			}
			if removed[i] != nil && !errors.Is(removed[i], bus.ErrConflict) && !errors.Is(removed[i], bus.ErrUploadNotFound) {
				t.Errorf("removing: %v", removed[i])
			}
		}
	}
}

func TestUploadIsReservedForManyJobs(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u := put(ctx, t, uploads, 1)
	const most = 1000
	for job := range most {
		if err := uploads.Reserve(ctx, u.ID, fmt.Sprintf("%036d", job), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := uploads.Reserve(ctx, u.ID, "one more", time.Time{}); !errors.Is(err, bus.ErrUploadReserved) {
		t.Errorf("one more: %v", err)
	}
	if now := info(ctx, t, uploads, u.ID); len(now.Jobs) != most {
		t.Errorf("it is reserved for %d jobs", len(now.Jobs))
	}
}

// TestRemains holds what is told of uploads that were not completed or were removed, and that clearing it away leaves the
// uploads alone.
func TestRemains(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	uploads := b.Uploads
	whole := put(ctx, t, uploads, 3*chunk)
	gone := put(ctx, t, uploads, 3*chunk)
	if err := uploads.Remove(ctx, info(ctx, t, uploads, gone.ID)); err != nil {
		t.Fatal(err)
	}
	half := &gate{size: 4 * chunk, at: 2 * chunk, reached: make(chan struct{}), open: make(chan struct{})}
	putting := make(chan error, 1)
	go func() { _, err := uploads.Put(ctx, "half.csv", "", half); putting <- err }()
	<-half.reached
	testenv.Eventually(ctx, t, "two chunks of it are stored", func() error {
		if got := stored(ctx, t, b, bus.UploadsStream); got != 3+1+1+2 {
			return fmt.Errorf("%d messages are stored", got)
		}
		return nil
	})
	all, remains := list(ctx, t, uploads)
	if len(all) != 1 || all[0].ID != whole.ID {
		t.Errorf("the uploads are %+v, want %s", all, whole.ID)
	}
	if len(remains) != 2 {
		t.Fatalf("there remain %+v", remains)
	}
	slices.SortFunc(remains, func(a, b bus.Remains) int { return a.Chunks - b.Chunks })
	if r := remains[0]; r.ID != gone.ID || !r.Removed || r.Chunks != 0 || time.Since(r.At) > time.Minute {
		t.Errorf("of the removed one remains %+v", r)
	}
	if r := remains[1]; r.Removed || r.Chunks != 2 || time.Since(r.At) > time.Minute {
		t.Errorf("of the one that is not complete remains %+v", r)
	}
	for _, r := range remains {
		if err := uploads.Clear(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	close(half.open)
	if err := <-putting; !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("completing what was cleared away: %v", err)
	}
	if _, remains = list(ctx, t, uploads); len(remains) > 1 {
		t.Errorf("there remain %+v", remains)
	}
	content(ctx, t, uploads, whole)
}

// TestClearedIsNotCompleted holds that what was completed meanwhile is not cleared away.
func TestClearedIsNotCompleted(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u := put(ctx, t, uploads, 2*chunk)
	if err := uploads.Clear(ctx, bus.Remains{ID: u.ID, Chunks: 2}); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("clearing an upload away: %v", err)
	}
	content(ctx, t, uploads, u)
}

func info(ctx context.Context, t testing.TB, uploads *bus.Uploads, id string) bus.Upload {
	t.Helper()
	u, err := uploads.Info(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func list(ctx context.Context, t testing.TB, uploads *bus.Uploads) ([]bus.Upload, []bus.Remains) {
	t.Helper()
	stock, err := uploads.All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return stock.Uploads, stock.Remains
}
