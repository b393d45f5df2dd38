package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

const (
	// maxWait bounds how long an answer waits for events that are known to be stored but not folded yet.
	maxWait = 2 * time.Second
	// maxPageBytes keeps a page within one message, whose limit is 1 MiB.
	maxPageBytes = 900 << 10
	maxPage      = 1000
)

var (
	errNotFound = errors.New("no such job")
	errOutdated = errors.New("the documents are still being read again after an outage")
)

// queries answers requests over the bus.
type queries struct {
	bus        *bus.Bus
	store      store
	index      *index
	reconciler *reconciler
	log        *slog.Logger
}

// serve registers the endpoints; the caller stops the service.
func (q *queries) serve(ctx context.Context) (micro.Service, error) {
	service, err := micro.AddService(q.bus.Conn, micro.Config{
		Name: "status", Version: "1.0.0", Description: "Tells how jobs stand",
	})
	if err != nil {
		return nil, fmt.Errorf("registering the status service: %w", err)
	}
	for _, endpoint := range []struct {
		name, subject string
		handler       micro.HandlerFunc
	}{
		{"get", events.SubjectStatusGet, answer(ctx, q, q.get)},
		{"list", events.SubjectStatusList, answer(ctx, q, q.list)},
		{"waiting", events.SubjectStatusWaiting, answer(ctx, q, q.waiting)},
		{"cancel", events.SubjectStatusCancel, answer(ctx, q, q.cancel)},
		{"retry", events.SubjectStatusRetry, answer(ctx, q, q.retry)},
		{"reconcile", events.SubjectStatusReconcile, answer(ctx, q, q.reconcile)},
	} {
		if err := service.AddEndpoint(endpoint.name, endpoint.handler, micro.WithEndpointSubject(endpoint.subject)); err != nil {
			return nil, errors.Join(fmt.Errorf("registering %s: %w", endpoint.subject, err), service.Stop())
		}
	}
	if err := q.bus.Conn.Flush(); err != nil { // requests are refused until the server knows of the endpoints
		return nil, errors.Join(fmt.Errorf("registering the status service: %w", err), service.Stop())
	}
	return service, nil
}

// get answers for one job, and not with less than the caller knows already.
func (q *queries) get(ctx context.Context, question events.Get) (events.Status, error) {
	if !validID(question.ID) { // it may be a pattern, which other jobs match
		return events.Status{}, fmt.Errorf("%w: %q", errNotFound, question.ID)
	}
	origin, err := q.await(ctx, question)
	if err != nil {
		return events.Status{}, err
	}
	d, _, _, err := q.store.get(ctx, question.ID)
	if err != nil {
		return events.Status{}, err
	}
	d = join(d, origin)
	if !d.known() {
		return events.Status{}, fmt.Errorf("%w: %s", errNotFound, question.ID)
	}
	s := d.view()
	if s.State == events.StateQueued {
		s.QueuePosition = q.index.position(question.ID)
	}
	return s, nil
}

// await waits, briefly, until the index holds what the caller knows of. Of a job that is still not there it returns
// what its first event says: the job exists from then on, however far behind the fold is.
func (q *queries) await(ctx context.Context, question events.Get) (Document, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	var origin Document
	for {
		sequence, known, changed := q.index.sequence(question.ID)
		if known && sequence >= question.Sequence {
			return Document{}, nil
		}
		if !known && origin.Head == nil {
			created, at, found, err := q.bus.Events.Last(ctx, question.ID, events.TypeCreated)
			if err != nil || !found {
				return Document{}, err
			}
			origin = documentOf(created, at)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return origin, nil
		}
	}
}

// reconcile answers once all has been compared, which takes as long as reading the history does.
func (q *queries) reconcile(ctx context.Context, _ events.Reconcile) (events.Reconciled, error) {
	return q.reconciler.all(ctx)
}

// awaitIndex waits, briefly, until the index has been filled under the present connection: what it knew before an outage
// may be old.
func (q *queries) awaitIndex(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for {
		reconnections, changed := q.index.filledAfter()
		if reconnections == q.bus.Conn.Stats().Reconnects {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errOutdated
		}
	}
}

// list answers with one page of jobs.
func (q *queries) list(ctx context.Context, question events.List) (events.Page, error) {
	if err := q.awaitIndex(ctx); err != nil {
		return events.Page{}, err
	}
	jobs, more := q.index.list(question, min(max(question.Limit, 1), maxPage))
	page := events.Page{Jobs: []events.Status{}, Totals: q.index.count(question.Filter)}
	bytes := 0
	for i, s := range jobs {
		data, err := json.Marshal(s)
		if err != nil {
			return events.Page{}, fmt.Errorf("encoding the status of job %s: %w", s.ID, err)
		}
		if bytes += len(data) + 1; bytes > maxPageBytes && i > 0 {
			more = true
			break
		}
		page.Jobs = append(page.Jobs, s)
	}
	if more {
		next := cursorOf(page.Jobs[len(page.Jobs)-1])
		page.Next = &next
	}
	return page, nil
}

// waiting answers how much there is to do.
func (q *queries) waiting(ctx context.Context, question events.Waiting) (events.Lanes, error) {
	if err := q.awaitIndex(ctx); err != nil {
		return events.Lanes{}, err
	}
	if validID(question.Known) {
		if _, err := q.await(ctx, events.Get{ID: question.Known}); err != nil {
			return events.Lanes{}, err
		}
	}
	return q.index.waiting(question.Submitter), nil
}
