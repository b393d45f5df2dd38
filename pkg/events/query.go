package events

import "time"

// Get asks status for one job.
type Get struct {
	ID string `json:"id"`
	// Sequence of an event of this job in EVENTS that the caller knows of; the answer is not older than it. 0: none.
	Sequence uint64 `json:"sequence,omitempty"`
}

// Cancel asks status to bring about a job's end. The answer is the job's status: cancelled if no worker ever had it, else
// cancelling until its worker confirms.
type Cancel struct {
	ID string `json:"id"`
}

// Retry asks status to run a job again that has failed or was cancelled. The answer is the job's status.
type Retry struct {
	ID string `json:"id"`
}

// Reconcile asks status to compare all documents with the history and with the ledger, and to repair them.
type Reconcile struct{}

// Reconciled answers a [Reconcile].
type Reconciled struct {
	Documents int `json:"documents"` // that were folded from the history again since they were missing or behind it
	Reported  int `json:"reported"`  // ends of runs that the ledger knew and the history did not
	Requeued  int `json:"requeued"`  // jobs that had lost their message
	Unchecked int `json:"unchecked"` // jobs that could not be compared with the ledger, as no ingester answered
	// Complete tells whether all of the ledger was read. It is false, and Unchecked counts every job that has not ended as
	// far as status knows, when no ingester answers.
	Complete bool `json:"complete"`
}

// Ledger asks an ingester for a page of the runs that have ended by the ledger, by the ids of their jobs.
type Ledger struct {
	After string `json:"after,omitempty"` // the last id of the page before
	Limit int    `json:"limit"`
}

// LedgerPage answers a [Ledger].
type LedgerPage struct {
	Runs []LedgerRun `json:"runs"`
	More bool        `json:"more"` // whether there are more
}

// LedgerRun is what the ledger says of a job.
type LedgerRun struct {
	ID    string `json:"id"`
	Run   int    `json:"run"`
	State State  `json:"state"` // running while it has not ended, empty if the ledger does not know the job
	// EndedAt is when the run ended, or zero while it has not. What ended before the history begins is not reported again.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Report asks an ingester to tell the history how a job's run has ended, if that has and the history does not say so. The
// answer is a [LedgerRun].
type Report struct {
	ID string `json:"id"`
}

// List asks status for a page of jobs, the newest first.
type List struct {
	State State `json:"state,omitempty"` // empty: any
	Limit int   `json:"limit"`
	// After is the last job of the page before; nil for the first page.
	After *Cursor `json:"after,omitempty"`
}

// Cursor is the sort key of a job in a list.
type Cursor struct {
	CreatedAtMS int64  `json:"t"` // Unix milliseconds
	ID          string `json:"id"`
}

// Page answers a [List].
type Page struct {
	Jobs []Status `json:"jobs"`
	Next *Cursor  `json:"next,omitempty"` // nil on the last page
}

// The codes with which status refuses a request, carried in the micro protocol's error header.
const (
	QueryNotFound   = "404"
	QueryInvalid    = "400"
	QueryFinished   = "409" // the job has ended otherwise
	QuerySucceeded  = "422" // the job has succeeded, and is not run again
	QueryUnfinished = "425" // the job has not ended yet
	QueryFailed     = "500"
)
