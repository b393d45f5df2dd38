package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Version is the version of the contract that this package writes. Readers refuse any other.
const Version = 1

// Priority names the lane in which a job waits.
type Priority string

// The lanes, the more urgent first.
const (
	Urgent Priority = "urgent"
	Normal Priority = "normal"
)

// Priorities lists the lanes, the more urgent first.
func Priorities() []Priority { return []Priority{Urgent, Normal} }

// Valid reports whether p is one of [Priorities].
func (p Priority) Valid() bool { return p == Urgent || p == Normal }

// Mode says how a job's rows become visible.
type Mode string

// The modes. All but Create need the table to be stated, and make it where there is none.
const (
	Create  Mode = "create"  // a new table; one that exists is refused
	Replace Mode = "replace" // the table's rows are exchanged for the file's, all at once
	Append  Mode = "append"  // the rows are added to the table's
	Upsert  Mode = "upsert"  // the rows replace those of the table with the same key, and are added where there are none
)

// Modes lists the modes.
func Modes() []Mode { return []Mode{Create, Replace, Append, Upsert} }

// ColumnNames says how the header's cells become the names of columns.
type ColumnNames string

// The ways to name columns.
const (
	OriginalNames ColumnNames = ""      // as they are, mended only where Postgres needs it
	SnakeNames    ColumnNames = "snake" // in lower snake case
)

// ExtraFields says what becomes of a row with more values than there are columns.
type ExtraFields string

// The ways with surplus values.
const (
	RescueExtra ExtraFields = ""       // they are kept, in the column _extra
	RejectExtra ExtraFields = "reject" // the row is bad
)

// Source says where a job's bytes come from.
type Source struct {
	// URL is the address as anyone may see it: scheme, host and path, without user, password, query or fragment. A file that
	// was uploaded is "upload:" and its id.
	URL string `json:"url"`
	// Sealed is the whole address and the headers to ask with, encrypted, when URL does not say it all; only an ingester can
	// open it.
	Sealed []byte `json:"sealed,omitempty"`
	// Member is the file to be loaded of an archive; empty: the one CSV file that it holds.
	Member string `json:"member,omitempty"`
}

// UploadScheme begins the address of a file that was uploaded; its id follows.
const UploadScheme = "upload:"

// Upload returns the id of the uploaded file, or false if the source is elsewhere.
func (s Source) Upload() (id string, is bool) { return strings.CutPrefix(s.URL, UploadScheme) }

// Spec is what the user asked for. It never changes during a job's life.
type Spec struct {
	Source   Source   `json:"source"`
	Schema   string   `json:"schema"`
	Table    string   `json:"table,omitempty"` // empty: derived from the source's name and CreatedAt
	Mode     Mode     `json:"mode"`
	Key      []string `json:"key,omitempty"` // with Upsert: the columns that tell rows apart, by their names in the table
	Priority Priority `json:"priority"`
	Ordered  bool     `json:"ordered,omitempty"` // rows are written in the file's order, over one connection
	// SkipUnchanged loads nothing if the table holds what the source still is.
	SkipUnchanged bool `json:"skip_unchanged,omitempty"`
	CSV           CSV  `json:"csv,omitzero"`
	// Null is what stands for NULL where it is not in quotes. Nil: not stated, the empty field does; empty: nothing does.
	Null        []string    `json:"null,omitzero"`
	ColumnNames ColumnNames `json:"column_names,omitempty"`
	ExtraFields ExtraFields `json:"extra_fields,omitempty"`
	MaxBadRows  BadRows     `json:"max_bad_rows,omitzero"`
	Types       ColumnTypes `json:"types,omitzero"`
	Lineage     bool        `json:"lineage,omitempty"` // each row tells of its line, its job and when it was loaded
	// Labels are the user's own, by their names; Sluice only shows them.
	Labels map[string]string `json:"labels,omitempty"`
	// Submitter is the id of the API key that the job was created with; empty if there was none.
	Submitter string    `json:"submitter,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Job is the message on the work queue: one run of one job. The message is the obligation to bring that run to an end.
type Job struct {
	V    int    `json:"v"`
	ID   string `json:"id"`
	Run  int    `json:"run"` // 1, and one more for each redrive
	Spec Spec   `json:"spec"`
}

// NewJob returns the message for a run of a job.
func NewJob(id string, run int, spec Spec) Job {
	return Job{V: Version, ID: id, Run: run, Spec: spec}
}

// MessageID is the deduplication id of the job's message. It names the run, since an id is remembered after its ack and
// a redrive must not be taken for a copy of the run before.
func (j Job) MessageID() string { return fmt.Sprintf("%s.%d", j.ID, j.Run) }

// DecodeJob reads a message of the work queue. It fails with [ErrVersion] for what a later Sluice has written.
func DecodeJob(data []byte) (Job, error) {
	if err := checkVersion(data); err != nil {
		return Job{}, fmt.Errorf("decoding a job: %w", err)
	}
	var j Job
	if err := json.Unmarshal(data, &j); err != nil {
		return Job{}, fmt.Errorf("decoding a job: %w", err)
	}
	if j.ID == "" || j.Run < 1 {
		return Job{}, fmt.Errorf("decoding a job: id or run missing")
	}
	return j, nil
}

// checkVersion looks at the version before anything else is read: another version may have changed all the rest.
func checkVersion(data []byte) error {
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return err
	}
	switch {
	case version.V > Version:
		return fmt.Errorf("%w %d", ErrVersion, version.V)
	case version.V < Version:
		return fmt.Errorf("version missing or impossible: %d", version.V)
	}
	return nil
}
