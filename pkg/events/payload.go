package events

import (
	"encoding/json"
	"fmt"
	"time"
)

// Type names what happened.
type Type string

// The event types, in the order in which a job may meet them.
const (
	TypeCreated         Type = "created"
	TypeRedriven        Type = "redriven"
	TypeQueued          Type = "queued"
	TypeStarted         Type = "started"
	TypeProgress        Type = "progress"
	TypeRetrying        Type = "retrying"
	TypeCancelRequested Type = "cancel_requested"
	TypeSucceeded       Type = "succeeded"
	TypeFailed          Type = "failed"
	TypeCancelled       Type = "cancelled"
)

// Types lists the event types.
func Types() []Type {
	return []Type{
		TypeCreated, TypeRedriven, TypeQueued, TypeStarted, TypeProgress, TypeRetrying, TypeCancelRequested,
		TypeSucceeded, TypeFailed, TypeCancelled,
	}
}

// Terminal reports whether an event of this type ends a run.
func (t Type) Terminal() bool { return t == TypeSucceeded || t == TypeFailed || t == TypeCancelled }

// Payload is what an event of one type carries.
type Payload interface{ Type() Type }

type (
	// Created is written by the API, once in a job's life: from then on the job exists.
	Created struct {
		Spec        Spec   `json:"spec"`
		RequestHash string `json:"request_hash"` // keyed hash of the request in hex; tells a repeated request from another one
	}
	// Redriven is written by status, once per run after the first.
	Redriven struct{}
	// Queued says that the run's message is on the work queue.
	Queued struct {
		Sequence uint64 `json:"sequence"` // in the JOBS stream; orders the lane
	}
	// Started says that a worker has claimed the job. It repeats the spec, so that the status is whole without Created.
	Started struct {
		Spec   Spec   `json:"spec"`
		Worker string `json:"worker"`
	}
	// Progress is written by the worker, at most once a second.
	Progress struct {
		Figures Figures `json:"figures"`
	}
	// Retrying says that an attempt ended early and that the job waits for its next one.
	Retrying struct {
		Failure       *Failure  `json:"error,omitempty"` // nil when a worker handed the job over
		NextAttemptAt time.Time `json:"next_attempt_at"`
		Figures       Figures   `json:"figures"`
	}
	// CancelRequested says that someone asked for a job's end while a worker may have it.
	CancelRequested struct{}
	// Succeeded is written after the commit that made the dataset visible.
	Succeeded struct {
		Result  Result  `json:"result"`
		Figures Figures `json:"figures"`
	}
	// Failed is written after the ledger says so: nothing of the job is visible, and nothing will be.
	Failed struct {
		Failure Failure `json:"error"`
		Figures Figures `json:"figures"`
	}
	// Cancelled is written after the ledger says so, or by status for a job that no worker ever had.
	Cancelled struct {
		Figures Figures `json:"figures"`
	}
)

// Type names the event type of the payload.
func (Created) Type() Type { return TypeCreated }

// Type names the event type of the payload.
func (Redriven) Type() Type { return TypeRedriven }

// Type names the event type of the payload.
func (Queued) Type() Type { return TypeQueued }

// Type names the event type of the payload.
func (Started) Type() Type { return TypeStarted }

// Type names the event type of the payload.
func (Progress) Type() Type { return TypeProgress }

// Type names the event type of the payload.
func (Retrying) Type() Type { return TypeRetrying }

// Type names the event type of the payload.
func (CancelRequested) Type() Type { return TypeCancelRequested }

// Type names the event type of the payload.
func (Succeeded) Type() Type { return TypeSucceeded }

// Type names the event type of the payload.
func (Failed) Type() Type { return TypeFailed }

// Type names the event type of the payload.
func (Cancelled) Type() Type { return TypeCancelled }

func decodePayload(t Type, data []byte) (Payload, error) {
	switch t {
	case TypeCreated:
		return decodeAs[Created](data)
	case TypeRedriven:
		return decodeAs[Redriven](data)
	case TypeQueued:
		return decodeAs[Queued](data)
	case TypeStarted:
		return decodeAs[Started](data)
	case TypeProgress:
		return decodeAs[Progress](data)
	case TypeRetrying:
		return decodeAs[Retrying](data)
	case TypeCancelRequested:
		return decodeAs[CancelRequested](data)
	case TypeSucceeded:
		return decodeAs[Succeeded](data)
	case TypeFailed:
		return decodeAs[Failed](data)
	case TypeCancelled:
		return decodeAs[Cancelled](data)
	}
	return nil, fmt.Errorf("%w %q", ErrUnknownType, t)
}

func decodeAs[P Payload](data []byte) (Payload, error) {
	var p P
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("data of %q: %w", p.Type(), err)
	}
	return p, nil
}
