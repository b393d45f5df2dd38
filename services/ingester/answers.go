package ingester

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"sluice/pkg/bus"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// maxLedgerPage keeps a page within one message.
const maxLedgerPage = 1000

var errInvalid = errors.New("the request is not valid")

// answers are those to services that can neither read the ledger and files nor change a table.
type answers struct {
	conn      *nats.Conn
	database  *postgres.Database
	teller    teller
	previewer *previewer
	log       *slog.Logger
}

// serve registers the endpoints; the caller stops the service. Any ingester may be asked.
func (a *answers) serve(ctx context.Context) (micro.Service, error) {
	service, err := micro.AddService(a.conn, micro.Config{
		Name: "ingester", Version: "1.0.0", Description: "Tells how runs have ended by the ledger and files would be read, and drops datasets",
	})
	if err != nil {
		return nil, fmt.Errorf("registering the ingester service: %w", err)
	}
	for _, endpoint := range []struct {
		name, subject string
		handler       micro.HandlerFunc
	}{
		{"ledger", events.SubjectIngesterLedger, answer(ctx, a, a.ledger)},
		{"report", events.SubjectIngesterReport, answer(ctx, a, a.report)},
		{"drop", events.SubjectIngesterDrop, answer(ctx, a, a.drop)},
		{"preview", events.SubjectIngesterPreview, answer(ctx, a, a.previewer.preview)},
	} {
		if err := service.AddEndpoint(endpoint.name, endpoint.handler, micro.WithEndpointSubject(endpoint.subject)); err != nil {
			return nil, errors.Join(fmt.Errorf("registering %s: %w", endpoint.subject, err), service.Stop())
		}
	}
	if err := a.conn.Flush(); err != nil { // questions are refused until the server knows of the endpoints
		return nil, errors.Join(fmt.Errorf("registering the ingester service: %w", err), service.Stop())
	}
	return service, nil
}

// answer decodes a question, asks and sends the reply. Each question has a goroutine, as databases and sources may be slow, and
// [settleTime], of which some take less. The reply is published here since a micro request is only for the goroutine that it was
// handed to.
func answer[Q, A any](ctx context.Context, a *answers, ask func(context.Context, Q) (A, error)) micro.HandlerFunc {
	return func(r micro.Request) {
		reply, request, subject := nats.NewMsg(r.Reply()), r.Data(), r.Subject()
		go func() {
			ctx, cancel := context.WithTimeout(ctx, settleTime)
			defer cancel()
			var question Q
			found, err := *new(A), json.Unmarshal(request, &question)
			if err != nil {
				err = errors.Join(errInvalid, err)
			} else {
				found, err = ask(ctx, question)
			}
			a.send(reply, found, err, subject)
		}()
	}
}

// send replies with what was found, or with an error in the way of the micro protocol (NATS ADR-32).
func (a *answers) send(reply *nats.Msg, found any, err error, subject string) {
	if err == nil {
		reply.Data, err = json.Marshal(found)
	}
	switch {
	case errors.Is(err, errInvalid):
		reply.Header.Set(micro.ErrorCodeHeader, events.QueryInvalid)
		reply.Header.Set(micro.ErrorHeader, errInvalid.Error())
	case errors.Is(err, errBusy):
		reply.Header.Set(micro.ErrorCodeHeader, events.QueryBusy)
		reply.Header.Set(micro.ErrorHeader, errBusy.Error())
	case err != nil:
		a.log.Warn("question not answered", "subject", subject, "err", err)
		reply.Header.Set(micro.ErrorCodeHeader, events.QueryFailed)
		reply.Header.Set(micro.ErrorHeader, "the ingester cannot answer; its log tells more")
	}
	if err := a.conn.PublishMsg(reply); err != nil {
		a.log.Warn("answer not sent", "subject", subject, "err", err)
	}
}

// ledger answers with a page of the runs that ended while their events are kept: of older ones the history is to say
// nothing.
func (a *answers) ledger(ctx context.Context, question events.Ledger) (events.LedgerPage, error) {
	if question.After != "" && !validID(question.After) {
		return events.LedgerPage{}, errInvalid
	}
	limit := min(max(question.Limit, 1), maxLedgerPage)
	runs, err := a.database.Ended(ctx, bus.EventsMaxAge, question.After, limit+1)
	if err != nil {
		return events.LedgerPage{}, err
	}
	return events.LedgerPage{Runs: runs[:min(len(runs), limit)], More: len(runs) > limit}, nil
}

// report makes the history tell how a job's run has ended.
func (a *answers) report(ctx context.Context, question events.Report) (events.LedgerRun, error) {
	if !validID(question.ID) { // it may be a pattern, which other jobs match
		return events.LedgerRun{}, errInvalid
	}
	job, err := a.database.Entry(ctx, question.ID)
	if err != nil || job == nil {
		return events.LedgerRun{ID: question.ID}, err
	}
	run := events.LedgerRun{ID: job.JobID, Run: job.Run, State: job.State}
	if !job.State.Terminal() {
		return run, nil
	}
	outcome, err := a.database.Outcome(ctx, job.JobID, job.Run)
	if err != nil || outcome == nil { // opened anew meanwhile
		return run, err
	}
	run.EndedAt = outcome.At
	if recent, err := a.database.EndedWithin(ctx, bus.EventsMaxAge, job.JobID); err != nil || !recent {
		return run, err
	}
	told, err := a.teller.end(ctx, job, outcome)
	if told {
		a.log.Info("end reported that the history did not know", "job_id", job.JobID, "run", job.Run, "state", job.State)
	}
	return run, err
}

// drop drops a dataset's table, or tells why that stands.
func (a *answers) drop(ctx context.Context, question events.Drop) (events.Dropped, error) {
	err := a.database.Drop(ctx, question.Schema, question.Table)
	if refused, ok := errors.AsType[*events.Failure](err); ok {
		return events.Dropped{Failure: refused}, nil
	}
	if err == nil {
		a.log.Info("dataset dropped", "schema", question.Schema, "table", question.Table)
	}
	return events.Dropped{}, err
}

// validID reports whether a job can have the id.
func validID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}
