package events

// Phase names what a worker is doing.
type Phase string

// The phases of an attempt, in order.
const (
	PhaseOpening    Phase = "opening"    // asking the source for its bytes
	PhaseLoading    Phase = "loading"    // copying rows into the staging table
	PhasePublishing Phase = "publishing" // making the staging table the dataset
	PhaseDone       Phase = "done"
)

// Figures tell how far an attempt is. They are cumulative.
type Figures struct {
	Phase          Phase  `json:"phase,omitempty"`
	Bytes          int64  `json:"bytes"`                 // read from the source, before they are decompressed
	TotalBytes     *int64 `json:"total_bytes,omitempty"` // likewise; nil while unknown
	Rows           int64  `json:"rows"`                  // read so far; at the end, loaded
	Rejected       int64  `json:"rejected"`
	BytesPerSecond int64  `json:"bytes_per_second,omitempty"`
}

// Column reports how a column of the file became a column of the table.
type Column struct {
	Original string `json:"original"` // the header's cell, cut to 256 bytes
	Name     string `json:"name"`
	Type     string `json:"type"`           // Postgres's name for it
	Rule     string `json:"rule,omitempty"` // why Name is not Original; empty when it is
	// Form is how the file writes the values of a column whose type was inferred, where that is not how Postgres writes them.
	Form string `json:"form,omitempty"`
}

// Durations say where a job's time went, in milliseconds.
type Durations struct {
	QueuedMS  int64 `json:"queued_ms"`  // from its creation to the start of the attempt that succeeded
	LoadingMS int64 `json:"loading_ms"` // from that start to the commit
}

// The outcomes of a job that succeeded.
const (
	OutcomeLoaded    = "loaded"
	OutcomeUnchanged = "unchanged" // the table holds what the source still is, so that nothing was loaded
)

// Result is what a job that succeeded has made, or, where the source was unchanged, what the earlier job had made whose rows
// stand; then this one has loaded 0 rows.
type Result struct {
	Outcome string `json:"outcome"`
	// UnchangedSince is the job whose rows stand, with OutcomeUnchanged.
	UnchangedSince string    `json:"unchanged_since,omitempty"`
	Schema         string    `json:"schema"`
	Table          string    `json:"table"`
	Rows           int64     `json:"rows"`
	Rejected       int64     `json:"rejected"`
	Bytes          int64     `json:"bytes"` // of the source, as it was sent
	Columns        []Column  `json:"columns"`
	Dialect        Dialect   `json:"dialect"`
	Warnings       []Warning `json:"warnings"`
	Checksum       string    `json:"checksum"` // "sha256:" and the hex digest of the source's bytes, as they were sent
	// Compression is how the source was compressed: "gzip", "zstd", "bzip2", "zip", or empty.
	Compression string `json:"compression,omitempty"`
	Member      string `json:"member,omitempty"` // of a zip archive, that was loaded
	// ResumedFrom is the byte offset, in the decompressed source, at which the attempt that succeeded went on with what earlier
	// ones had committed; 0 if it loaded all of it.
	ResumedFrom int64     `json:"resumed_from,omitempty"`
	Durations   Durations `json:"durations"`
}
