package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Errors of decoding.
var (
	ErrVersion     = errors.New("unknown contract version")
	ErrUnknownType = errors.New("unknown event type")
)

// Position places an event in its job's life. Events are compared by it, never by the time at which they arrive.
type Position struct {
	Run     int `json:"run"`     // 1, and one more for each redrive
	Claim   int `json:"claim"`   // counts the claims of a job over all its runs; 0 before the first
	Attempt int `json:"attempt"` // the attempt of this run, as shown to users; a hand-over does not spend one
	Seq     int `json:"seq"`     // counts the events of one claim
}

// Event is one fact about one job. Figures in it are cumulative, never deltas.
type Event struct {
	V     int    `json:"v"`
	ID    string `json:"id"` // the same fact has the same id, also when it is told twice
	JobID string `json:"job_id"`
	Type  Type   `json:"type"`
	Position
	At   time.Time `json:"at"`
	By   string    `json:"by"` // the process that wrote it, such as "api" or "ingester/host-1"
	Data Payload   `json:"data"`
}

// New returns the event that carries data.
func New(jobID string, pos Position, at time.Time, by string, data Payload) Event {
	return Event{
		V: Version, ID: eventID(jobID, pos, data.Type()), JobID: jobID, Type: data.Type(),
		Position: pos, At: at.UTC().Truncate(time.Millisecond), By: by, Data: data,
	}
}

func eventID(jobID string, pos Position, t Type) string {
	if t.Terminal() { // an outcome happens once in a run, whoever reports it
		return fmt.Sprintf("%s.%d.%s", jobID, pos.Run, t)
	}
	return fmt.Sprintf("%s.%d.%d.%d.%s", jobID, pos.Run, pos.Claim, pos.Seq, t)
}

// Subject is where the event is published.
func (e Event) Subject() string { return EventSubject(e.JobID, e.Type) }

// Decode reads an event. It fails with [ErrVersion] or [ErrUnknownType] for what a later Sluice may have written.
func Decode(data []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return Event{}, fmt.Errorf("decoding an event: %w", err)
	}
	return e, nil
}

// UnmarshalJSON reads the payload by the event's type.
func (e *Event) UnmarshalJSON(data []byte) error {
	if err := checkVersion(data); err != nil {
		return err
	}
	type envelope Event // without this method
	var raw struct {
		*envelope
		Data json.RawMessage `json:"data"`
	}
	raw.envelope = (*envelope)(e)
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if e.JobID == "" || e.Run < 1 {
		return errors.New("job_id or run missing")
	}
	payload, err := decodePayload(e.Type, raw.Data)
	e.Data = payload
	return err
}
