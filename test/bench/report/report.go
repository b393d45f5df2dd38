// Package report makes tables of what the benchmark has measured, and puts them into its page.
package report

import (
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/server"
)

// Figures are those of one run.
type Figures struct {
	Wall   time.Duration // as the user sees it
	Client time.Duration // computed by what sends the rows
	Rest   time.Duration // computed by the rest of Sluice
	Server time.Duration // computed by Postgres
	Peak   int64         // memory of what sends the rows, in bytes
}

// Series are the runs of one way of loading.
type Series struct {
	Way  string
	Runs []Figures
}

// Case is one file, loaded in several ways. The first is what the others are compared with.
type Case struct {
	File   data.File
	Series []Series
}

// latencyBelow is the size under which it matters how long a job takes, not how fast its bytes go.
const latencyBelow = 100 * data.Kilobyte

// Latency tells whether the file is so small that it is loaded for the time that a job takes at the least.
func (c Case) Latency() bool { return c.File.Size < latencyBelow }

// Part is what was measured on one server.
type Part struct {
	Postgres string // version
	Psql     string // what it says of its version
	Settings []server.Setting
	Cases    []Case
}

// Report is a whole benchmark.
type Report struct {
	Date    time.Time
	Commit  string
	Go      string
	Curl    string // what it says of its version
	Machine Machine
	Load    Load // before all
	Rounds  int
	Extra   []string // what the ingester was told besides
	Parts   []Part
}
