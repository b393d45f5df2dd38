// Package doctor looks whether a Sluice is well, and says what to do where it is not.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/pkg/client"
)

// State is how a check came out.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
	Skipped State = "skipped" // it was not looked at; the detail says why
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`           // what was found
	Advice string `json:"advice,omitempty"` // what to do, unless all is well
}

// Report is all that was looked at.
type Report struct {
	State  State   `json:"state"` // the worst of the checks'
	Checks []Check `json:"checks"`
}

// Patient is what is looked at. What is empty is not.
type Patient struct {
	API         *client.Client
	Version     string // of this program
	NATSURL     string
	NATSGuessed bool // nobody has named NATSURL: that nothing is there is no finding
	PostgresURL string
	DataDir     string
}

// patience is how long each part may take to answer.
const patience = 5 * time.Second

// Examine looks at everything.
func Examine(ctx context.Context, p Patient) Report {
	var r Report
	for _, part := range []func(context.Context, Patient) []Check{checkAPI, checkNATS, checkPostgres, checkDisk} {
		limited, cancel := context.WithTimeout(ctx, patience)
		r.Checks = append(r.Checks, part(limited, p)...)
		cancel()
	}
	r.State = OK
	for _, c := range r.Checks {
		if c.State == Failed || c.State == Warning && r.State == OK {
			r.State = c.State
		}
	}
	return r
}

func well(name, format string, args ...any) Check {
	return Check{Name: name, State: OK, Detail: fmt.Sprintf(format, args...)}
}

func failed(name string, err error, advice string) Check {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", patience)
	}
	return Check{Name: name, State: Failed, Detail: err.Error(), Advice: advice}
}

// skipped are checks that were not made.
func skipped(why string, names ...string) []Check {
	var checks []Check
	for _, name := range names {
		checks = append(checks, Check{Name: name, State: Skipped, Detail: why})
	}
	return checks
}

func (c Check) warned(advice string) Check {
	c.State, c.Advice = Warning, advice
	return c
}

func (c Check) failing(advice string) Check {
	c.State, c.Advice = Failed, advice
	return c
}
