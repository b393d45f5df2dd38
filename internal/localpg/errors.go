package localpg

import (
	"errors"
	"fmt"
)

// ErrNoBinaries says that no PostgreSQL was found where it was looked for, and what a user can do about it.
var ErrNoBinaries = errors.New("no PostgreSQL binaries found; either install PostgreSQL (on Debian: apt-get install postgresql), " +
	"or set SLUICE_PGBIN to a directory with postgres and initdb, or name a running server with --postgres-url or DATABASE_URL")

// InUseError is Start's answer when a living process already runs a cluster in the directory.
type InUseError struct {
	Dir string // as given in Config.Dir
	PID int    // the process that holds it; 0 if it has not yet written its number
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("the Postgres directory %s is in use by process %d", e.Dir, e.PID)
}

// PortInUseError is Start's answer when somebody else listens on the address.
type PortInUseError struct {
	Addr string // host:port
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("the address %s is already in use", e.Addr)
}

// VersionError is Start's answer when the data were written by another major version than the binaries'.
type VersionError struct {
	Dir      string // the data directory
	Data     int    // major version that wrote it
	BinDir   string // where the binaries lie
	Binaries int    // their major version
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the data in %s belong to PostgreSQL %d but the binaries in %s are version %d: "+
		"set SLUICE_PGBIN to the directory of PostgreSQL %d's binaries, or use another data directory",
		e.Dir, e.Data, e.BinDir, e.Binaries, e.Data)
}

// errEnded is the cause of death of a server that was shut down in order, but not by us.
var errEnded = errors.New("it was shut down by somebody else")

// errStillAttached means that processes of a killed server have not yet let go of its memory.
var errStillAttached = errors.New("processes of the previous server are still running")
