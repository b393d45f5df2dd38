package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sluice/pkg/bus"
	"sluice/pkg/events"
)

// ledgerPage is how many runs are asked for at once.
const ledgerPage = 1000

// ledger asks an ingester for all runs that have ended, and sees to it that the history tells of each.
func (r *reconciler) ledger(ctx context.Context) (done events.Reconciled, err error) {
	for after := ""; ; {
		var page events.LedgerPage
		err := r.ask(ctx, events.SubjectIngesterLedger, events.Ledger{After: after, Limit: ledgerPage}, &page)
		if unanswered(err) {
			return r.unread(ctx, done, err), nil
		}
		if err != nil {
			return done, err
		}
		more, err := each(ctx, page.Runs, r.settle)
		done = sum(done, more)
		if errors.Is(err, errNobody) {
			return r.unread(ctx, done, err), nil
		}
		if err != nil {
			return done, err
		}
		if !page.More {
			r.unheard.Store(false)
			done.Complete = true
			return done, nil
		}
		if len(page.Runs) == 0 || page.Runs[len(page.Runs)-1].ID <= after {
			return done, fmt.Errorf("reading the ledger: the page behind %q leads nowhere", after)
		}
		after = page.Runs[len(page.Runs)-1].ID
	}
}

// errNobody says that no ingester could tell what the ledger says.
var errNobody = errors.New("no ingester answers")

func (r *reconciler) unread(ctx context.Context, done events.Reconciled, err error) events.Reconciled {
	level := slog.LevelWarn
	if !r.unheard.Swap(true) {
		level = slog.LevelInfo // services start in any order
	}
	r.log.Log(ctx, level, "the ledger is not read; trying again", "err", err)
	done.Unchecked = r.index.underway()
	return done
}

// settle sees to it that the document of a run that has ended by the ledger says so, too.
func (r *reconciler) settle(ctx context.Context, run events.LedgerRun) (done events.Reconciled, err error) {
	if !run.State.Terminal() || !validID(run.ID) || r.index.over(run.ID, run.Run) ||
		!run.EndedAt.IsZero() && r.forgotten(run.EndedAt) {
		return done, nil
	}
	d, done, err := r.catchUp(ctx, run.ID) // the index may be behind, and the document, too
	if err != nil || d.over(run.Run) {
		return done, err
	}
	_, more, err := r.report(ctx, run.ID, run.Run)
	return sum(done, more), err
}

// report asks an ingester to tell the history how a run has ended, if it has. Unless that is so, or the ingester refuses to
// say, which leaves the job unchecked, the job is not settled. Without an ingester it fails with errNobody.
func (r *reconciler) report(ctx context.Context, jobID string, run int) (settled bool, done events.Reconciled, err error) {
	var answer events.LedgerRun
	err = r.ask(ctx, events.SubjectIngesterReport, events.Report{ID: jobID}, &answer)
	if refusal, ok := errors.AsType[*bus.Refusal](err); ok {
		r.log.Warn("the ledger's word on a job is not known; trying again", "job_id", jobID, "err", refusal)
		return true, events.Reconciled{Unchecked: 1}, nil
	}
	if unanswered(err) {
		return false, done, fmt.Errorf("%w: %w", errNobody, err)
	}
	if err != nil || !answer.State.Terminal() || answer.Run < run {
		return false, done, err
	}
	return true, events.Reconciled{Reported: 1}, nil
}

func (r *reconciler) ask(ctx context.Context, subject string, question, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return bus.Ask(ctx, r.bus.Conn, subject, question, answer)
}

// unanswered reports whether err says that no ingester can tell what the ledger says now.
func unanswered(err error) bool {
	_, refused := errors.AsType[*bus.Refusal](err)
	return refused || errors.Is(err, bus.ErrUnavailable)
}
