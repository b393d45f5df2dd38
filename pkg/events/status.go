package events

import (
	"slices"
	"time"
)

// State is the word that users see for how a job stands.
type State string

// The states. Queued, running, retrying and cancelling jobs will move on by themselves; the others are final.
const (
	StateQueued     State = "queued"
	StateRunning    State = "running"
	StateRetrying   State = "retrying"   // waits for its next attempt
	StateCancelling State = "cancelling" // asked to stop, not yet confirmed
	StateSucceeded  State = "succeeded"
	StateFailed     State = "failed"
	StateCancelled  State = "cancelled"
)

// States lists the states.
func States() []State {
	return []State{
		StateQueued, StateRunning, StateRetrying, StateCancelling, StateSucceeded, StateFailed, StateCancelled,
	}
}

// Valid reports whether s is one of [States].
func (s State) Valid() bool {
	return slices.Contains(States(), s)
}

// Terminal reports whether a job in this state has ended.
func (s State) Terminal() bool {
	return s == StateSucceeded || s == StateFailed || s == StateCancelled
}

// Status is how a job stands: what its events add up to.
type Status struct {
	ID            string     `json:"id"`
	State         State      `json:"state"`
	Run           int        `json:"run"`
	Attempt       int        `json:"attempt"`
	Spec          Spec       `json:"spec"`
	Table         string     `json:"table,omitempty"` // the dataset's once there is one, else the one asked for
	StartedAt     *time.Time `json:"started_at,omitempty"`
	FinishedAt    *time.Time `json:"finished_at,omitempty"`
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	QueuePosition int        `json:"queue_position,omitempty"` // 1 for the next one; 0 when it does not wait
	Figures       Figures    `json:"figures"`
	Failure       *Failure   `json:"error,omitempty"`
	Result        *Result    `json:"result,omitempty"`
}
