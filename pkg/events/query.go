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
	Filter
	State State `json:"state,omitempty"` // empty: any
	Limit int   `json:"limit"`
	// After is the last job of the page before; nil for the first page.
	After *Cursor `json:"after,omitempty"`
}

// Filter says which jobs are meant. What is zero is not asked for.
type Filter struct {
	Priority      Priority  `json:"priority,omitempty"`
	Table         string    `json:"table,omitempty"`         // as the status has it
	Source        string    `json:"source,omitempty"`        // likewise
	CreatedAfter  time.Time `json:"created_after,omitzero"`  // at that time or later
	CreatedBefore time.Time `json:"created_before,omitzero"` // before that time
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
	// Totals counts the jobs that pass the filter, on whatever page, by their states.
	Totals map[State]int `json:"totals"`
}

// Waiting asks status how many jobs wait and are under way.
type Waiting struct {
	// Submitter restricts the answer to the jobs that were created with this API key. Empty: all jobs.
	Submitter string `json:"submitter,omitempty"`
	// Known is a job that the caller knows of: the answer counts it, too. Empty: none.
	Known string `json:"known,omitempty"`
}

// Lanes answers a [Waiting].
type Lanes struct {
	Queued map[Priority]int `json:"queued"` // of each lane
	Totals map[State]int    `json:"totals"` // of jobs that have not ended
}

// Preview asks an ingester how a file would be read.
type Preview struct {
	// ID is what the source is sealed for: a UUID of the question's own.
	ID   string `json:"id"`
	Spec Spec   `json:"spec"` // of which source and reading matter, and where the rows would go does not
	Rows int    `json:"rows"` // how many of the first rows are wanted
}

// Previewed answers a [Preview]. Failure alone is set if the file could not be read that far.
type Previewed struct {
	Failure     *Failure    `json:"error,omitempty"`
	Dialect     Dialect     `json:"dialect"`
	Columns     []Column    `json:"columns"` // with the types that the values of the part that was read would have
	Rows        [][]*string `json:"rows"`    // a value for each column; nil stands for NULL
	Warnings    []Warning   `json:"warnings"`
	FirstBad    *Failure    `json:"first_bad,omitempty"` // what is wrong with the first row that cannot be read
	Compression string      `json:"compression,omitempty"`
	Member      string      `json:"member,omitempty"`
	TotalBytes  *int64      `json:"total_bytes,omitempty"` // of the source as it is sent, if that is known
	BytesRead   int64       `json:"bytes_read"`            // of the decompressed source, which the answer is about
	RowsRead    int64       `json:"rows_read"`             // likewise
	Complete    bool        `json:"complete"`              // whether that was all of the file
	Cut         bool        `json:"cut"`                   // whether values or rows were shortened to fit into the answer
}

// Drop asks an ingester to drop a dataset's table.
type Drop struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
}

// Dropped answers a [Drop]. A failure says why the table stands.
type Dropped struct {
	Failure *Failure `json:"error,omitempty"`
}

// The codes with which a [Drop] fails, besides those of jobs.
const (
	CodeDatasetNotFound Code = "dataset_not_found" // nothing was loaded into a table of the name
	CodeDatasetNotOwned Code = "dataset_not_owned" // Sluice has loaded into the table, and not made it
)

// Workers asks every ingester what it does.
type Workers struct{}

// Worker is what an ingester says of itself.
type Worker struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Slots     int       `json:"slots"` // jobs at once
	Draining  bool      `json:"draining"`
	Jobs      []string  `json:"jobs"` // the ids of those that it works on
}

// The codes with which a service refuses a request, carried in the micro protocol's error header.
const (
	QueryNotFound   = "404"
	QueryInvalid    = "400"
	QueryFinished   = "409" // the job has ended otherwise
	QuerySucceeded  = "422" // the job has succeeded, and is not run again
	QueryUnfinished = "425" // the job has not ended yet
	QueryFailed     = "500"
	QueryBusy       = "503" // there is no room for another question of this kind now
)
