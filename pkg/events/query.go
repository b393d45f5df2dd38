package events

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
	QueryNotFound = "404"
	QueryInvalid  = "400"
	QueryFinished = "409" // the job has ended otherwise
	QueryFailed   = "500"
)
