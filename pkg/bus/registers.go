package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/pkg/events"
)

// Ownership is what a register says about its job.
type Ownership string

// The states of a register.
const (
	Absent     Ownership = "" // no worker has ever claimed the job
	Claimed    Ownership = "claimed"
	Released   Ownership = "released"   // waits for its next attempt
	Cancelling Ownership = "cancelling" // whoever has it, or meets it, is to end it
	Cancelled  Ownership = "cancelled"  // by status, before any worker opened it
	Done       Ownership = "done"
)

// Register says who owns a job. It is written with compare-and-set only. It does not decide a job's outcome: the ledger
// in Postgres does.
type Register struct {
	State   Ownership    `json:"state"`
	Run     int          `json:"run"`
	Claim   int          `json:"claim"`            // counts up for ever
	Worker  string       `json:"worker,omitempty"` // who claimed it last
	Attempt int          `json:"attempt"`          // attempts of this run that were opened and not handed back
	Opened  bool         `json:"opened"`           // whether this run may have a row in the ledger
	Outcome events.State `json:"outcome,omitempty"`

	revision uint64
}

// After reports whether r was written after other.
func (r Register) After(other Register) bool { return r.revision > other.revision }

// Written reports whether r was read from the bucket, or is what was written there.
func (r Register) Written() bool { return r.revision > 0 }

// Registers is the bucket of registers.
type Registers struct {
	conn *nats.Conn
	kv   jetstream.KeyValue
}

// Get reads a job's register; one that was never written is [Absent].
func (s *Registers) Get(ctx context.Context, jobID string) (Register, error) {
	entry, err := s.kv.Get(ctx, jobID)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Register{}, nil
	}
	if err != nil {
		return Register{}, fmt.Errorf("reading the register of job %s: %w", jobID, unavailable(err))
	}
	return decodeRegister(entry)
}

// Replace writes next if the register is still as in was, and returns next as written. It fails with [ErrConflict] if
// someone else wrote meanwhile.
func (s *Registers) Replace(ctx context.Context, jobID string, was, next Register) (Register, error) {
	data, err := json.Marshal(next)
	if err != nil {
		return Register{}, fmt.Errorf("encoding the register of job %s: %w", jobID, err)
	}
	if was.revision == 0 {
		next.revision, err = s.kv.Create(ctx, jobID, data)
	} else {
		next.revision, err = s.kv.Update(ctx, jobID, data, was.revision)
	}
	if Conflict(err) {
		return Register{}, fmt.Errorf("writing the register of job %s: %w", jobID, ErrConflict)
	}
	if err != nil {
		return Register{}, fmt.Errorf("writing the register of job %s: %w", jobID, unavailable(err))
	}
	return next, nil
}

// registerMarkerTime is how long the mark of a removed register is kept, for watchers that were away.
const registerMarkerTime = time.Hour

// Remove takes a register out of the bucket if it is still as in was. It fails with [ErrConflict] if someone else wrote
// meanwhile.
func (s *Registers) Remove(ctx context.Context, jobID string, was Register) error {
	err := s.kv.Purge(ctx, jobID, jetstream.LastRevision(was.revision), jetstream.PurgeTTL(registerMarkerTime))
	if Conflict(err) {
		return fmt.Errorf("removing the register of job %s: %w", jobID, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("removing the register of job %s: %w", jobID, unavailable(err))
	}
	return nil
}

// Watch calls changed for the writes from now on, in order, until ctx ends. It returns once the watch is established.
// The bucket keeps the last write to a register only, so of several in quick succession, or while the server is away,
// the earlier ones may be left out.
func (s *Registers) Watch(ctx context.Context, changed func(jobID string, r Register)) error {
	status, err := s.kv.Status(ctx)
	if err != nil {
		return fmt.Errorf("watching the registers: %w", unavailable(err))
	}
	bucket, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return fmt.Errorf("watching the registers: a bucket that is no stream: %T", status)
	}
	told := bucket.StreamInfo().State.LastSeq
	begin := func(ctx context.Context) (jetstream.KeyWatcher, error) {
		return s.kv.WatchAll(ctx, jetstream.ResumeFromRevision(told+1))
	}
	_, err = Follow(ctx, s.conn, begin, func(entry jetstream.KeyValueEntry) {
		if entry == nil { // the mark between old values and new ones
			return
		}
		told = entry.Revision()
		if r, err := decodeRegister(entry); err == nil { // an unreadable one is met again by whoever reads it
			changed(entry.Key(), r)
		}
	})
	if err != nil {
		return fmt.Errorf("watching the registers: %w", err)
	}
	return nil
}

func decodeRegister(entry jetstream.KeyValueEntry) (Register, error) {
	if entry.Operation() != jetstream.KeyValuePut {
		return Register{}, nil
	}
	var r Register
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return Register{}, fmt.Errorf("decoding the register of job %s: %w", entry.Key(), err)
	}
	r.revision = entry.Revision()
	return r, nil
}
