package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/api/access"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// identity is what events written by this service name as their writer.
const identity = "api"

// createTime bounds how long a creation may take: longer than a healthy queue needs, shorter than a caller waits.
const createTime = 8 * time.Second

// CreateJob accepts a job.
func (s *Service) CreateJob(ctx context.Context, r openapi.CreateJobRequestObject) (openapi.CreateJobResponseObject, error) {
	wanted, err := validate(*r.Body)
	if err != nil {
		return nil, err
	}
	status, err := s.create(ctx, wanted, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return openapi.CreateJob202JSONResponse{
		Body:    viewJob(status),
		Headers: openapi.CreateJob202ResponseHeaders{Location: jobPath(status.ID)},
	}, nil
}

// create brings a job into being: created is stored, once for each id, and then its message on the queue. A creator
// that ends between the two leaves a job that status brings onto the queue.
func (s *Service) create(ctx context.Context, wanted request, key *string) (events.Status, error) {
	submitter := access.HolderOf(ctx).ID()
	id, err := newID(submitter, key)
	if err != nil {
		return events.Status{}, err
	}
	spec, err := s.spec(id, wanted)
	if err != nil {
		return events.Status{}, err
	}
	spec.Submitter = submitter
	there := func(ctx context.Context) (bool, error) {
		if key == nil {
			return false, nil
		}
		found, err := s.accepted(ctx, id)
		return found, queueError(err, id)
	}
	return s.queueing(ctx, there, func() (events.Status, error) { return s.store(ctx, spec, id, wanted, key != nil) })
}

// store stores a job and puts it on the queue. With keyed, both may have been done before.
func (s *Service) store(ctx context.Context, spec events.Spec, id string, wanted request, keyed bool) (events.Status, error) {
	// A caller that goes away changes nothing: the job is wanted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()

	if err := s.reserve(ctx, id, wanted, keyed); err != nil {
		return events.Status{}, queueError(err, id)
	}
	created := events.New(id, events.Position{Run: 1}, s.now(), identity,
		events.Created{Spec: spec, RequestHash: wanted.hash(s.sealer)})
	_, err := s.bus.Events.PublishFirst(ctx, created)
	repeated := errors.Is(err, bus.ErrConflict)
	if repeated {
		spec, err = s.earlier(ctx, id, wanted)
	}
	if err != nil {
		return events.Status{}, queueError(err, id)
	}
	if err := s.enqueue(ctx, id, spec); err != nil {
		return events.Status{}, queueError(err, id)
	}
	if repeated {
		if status, err := s.status(ctx, events.Get{ID: id}); err == nil {
			return status, nil
		}
	}
	return events.Status{ID: id, State: events.StateQueued, Run: 1, Spec: spec, Table: spec.Table}, nil
}

func (s *Service) spec(id string, wanted request) (events.Spec, error) {
	source, err := s.seal(id, wanted.source)
	if err != nil {
		return events.Spec{}, err
	}
	return events.Spec{
		Source: source, Schema: cmp.Or(wanted.Schema, defaultSchema), Table: wanted.table, Mode: cmp.Or(wanted.Mode, events.Create),
		Key: wanted.Key, Priority: wanted.priority, Ordered: wanted.ordered, SkipUnchanged: wanted.SkipUnchanged,
		CSV: wanted.CSV, Null: wanted.Null, ColumnNames: wanted.ColumnNames, ExtraFields: wanted.ExtraFields,
		MaxBadRows: wanted.MaxBadRows, Types: wanted.Types, Lineage: wanted.Lineage, Labels: wanted.Labels,
		CreatedAt: s.now().UTC().Truncate(time.Millisecond),
	}, nil
}

// seal returns what everyone may see of where the file is, and the rest encrypted.
func (s *Service) seal(id string, from source) (events.Source, error) {
	if from.url.Opaque != "" { // an upload
		return events.Source{URL: from.url.String(), Member: from.Member}, nil
	}
	sealed, err := s.sealer.Source(id, from.url, from.Headers)
	if errors.Is(err, seal.ErrNoKey) {
		field, what := "/url", "a user name, a password or a query"
		if len(from.Headers) > 0 {
			field, what = "/headers", "headers"
		}
		return events.Source{}, refusal.New(refusal.SecretKeyMissing,
			"the request has "+what+", which may be secret, and the API has no key to keep it with; set SLUICE_SECRET_KEY",
			refusal.At(field, "needs a secret key on the server"))
	}
	sealed.Member = from.Member
	return sealed, err
}

// accepted reports whether there is a job with this id.
func (s *Service) accepted(ctx context.Context, id string) (bool, error) {
	_, _, found, err := s.bus.Events.Last(ctx, id, events.TypeCreated)
	return found, err
}

// earlier returns the spec of the job that the id belongs to already, if that was asked for by the same request.
func (s *Service) earlier(ctx context.Context, id string, wanted request) (events.Spec, error) {
	e, _, found, err := s.bus.Events.Last(ctx, id, events.TypeCreated)
	if err != nil {
		return events.Spec{}, err
	}
	created, ok := e.Data.(events.Created)
	if !found || !ok {
		return events.Spec{}, fmt.Errorf("reading the creation of job %s: %w", id, bus.ErrUnavailable)
	}
	if created.RequestHash != wanted.hash(s.sealer) {
		return events.Spec{}, refusal.New(refusal.IdempotencyConflict,
			"this Idempotency-Key was used for a different request, which became job "+id+"; use a new key")
	}
	return created.Spec, nil
}

// enqueue puts the job on the queue and says so. Once it is there the job is safe, so that the saying may fail.
func (s *Service) enqueue(ctx context.Context, id string, spec events.Spec) error {
	sequence, err := s.bus.Jobs.Publish(ctx, events.NewJob(id, 1, spec))
	if errors.Is(err, bus.ErrOtherRun) {
		return nil // the job is in a later run: it has been queued before
	}
	if err != nil {
		return err
	}
	queued := events.New(id, events.Position{Run: 1}, s.now(), identity, events.Queued{Sequence: sequence})
	if _, err := s.bus.Events.Publish(ctx, queued); err != nil {
		s.config.Log.Warn("job queued but not reported so; status will", "job_id", id, "err", err)
	}
	return nil
}

// queueError tells the caller that the job may exist although it was not confirmed.
func queueError(err error, id string) error {
	if !errors.Is(err, bus.ErrUnavailable) {
		return err
	}
	return refusal.New(refusal.QueueUnavailable, "the job was not confirmed; look for it at "+jobPath(id)+
		" before you try again, or try again with an Idempotency-Key").Because(err)
}

func jobPath(id string) string { return "/v1/jobs/" + id }
