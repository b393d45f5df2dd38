package client

import (
	"context"
	"iter"
	"time"
)

const (
	// longPoll is how long a question may take that waits for news.
	longPoll = "30s"
	// refresh is how often a job is looked at of which no event tells, such as one that moves up in the queue.
	refresh = 5 * time.Second
	// leastPause is the shortest time between two looks at a job.
	leastPause = 200 * time.Millisecond
	// outage is how long a watch outlasts an API that does not answer.
	outage = time.Minute
)

// Watch yields how a job stands, first now and then whenever that has changed, until it has ended: the last item is its end. What
// cannot be mended is the last item otherwise, such as an API that does not answer at first, or for a minute later on.
//
// It looks when the job's events tell that something has happened. Where they are not to be had, as behind a proxy that keeps
// streams back, it asks questions that wait for news.
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[Answer[Job], error] {
	return func(yield func(Answer[Job], error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		w := watch{client: c, id: id, rings: make(chan struct{}, 1), silent: make(chan struct{})}
		job, err := c.Job(ctx, id)
		if err != nil || !yield(job, nil) || job.Value.Ended() {
			if err != nil {
				yield(Answer[Job]{}, err)
			}
			return
		}
		go w.listen(ctx)
		for tag, seen := job.ETag, time.Now(); ; {
			wait, err := w.news(ctx)
			if err != nil {
				yield(Answer[Job]{}, err)
				return
			}
			job, changed, err := c.await(ctx, id, tag, wait)
			switch {
			case err == nil:
				seen = time.Now()
			case !mendable(err) || time.Since(seen) > outage:
				yield(Answer[Job]{}, err)
				return
			default:
				c.waiting(err, outage)
			}
			if !changed {
				continue
			}
			tag = job.ETag
			if !yield(job, nil) || job.Value.Ended() {
				return
			}
		}
	}
}

// Ended tells whether nothing more will happen to the job unless it is run again.
func (j Job) Ended() bool {
	return j.State == JobStateSucceeded || j.State == JobStateFailed || j.State == JobStateCancelled
}

// watch hears of a job.
type watch struct {
	client *Client
	id     string
	rings  chan struct{} // holds one when something has happened
	silent chan struct{} // closed once nothing more is heard
}

// listen rings at each event, as long as there are any.
func (w *watch) listen(ctx context.Context) {
	defer close(w.silent)
	for _, err := range w.client.Events(ctx, w.id, nil) {
		if err != nil {
			return
		}
		select {
		case w.rings <- struct{}{}:
		default: // it has rung already
		}
	}
}

// news returns when it is time to look at the job, and how long that question is to wait.
func (w *watch) news(ctx context.Context) (wait string, err error) {
	again := time.NewTimer(refresh)
	defer again.Stop()
	select {
	case <-time.After(leastPause):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	select {
	case <-w.silent:
		return longPoll, nil
	default:
	}
	select {
	case <-w.silent:
		return longPoll, nil
	case <-w.rings:
	case <-again.C:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	return "", nil
}
