package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sluice/pkg/client"
)

// The exit codes. They never change their meaning.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitFailed      = 3
	exitCancelled   = 4
	exitUnreachable = 5
	exitRefused     = 6
	exitUnavailable = 7
	exitInterrupted = 130 // 128 + SIGINT, as shells say it
)

// exitCodes is the table of them for help.
func exitCodes() string {
	var b strings.Builder
	for _, c := range []struct {
		code    int
		meaning string
	}{
		{exitDone, "done; of a job that was watched, it has succeeded"},
		{exitError, "not done, for a reason of this machine's, such as a file that is missing; or a check of doctor failed"},
		{exitUsage, "wrong usage"},
		{exitFailed, "the job failed"},
		{exitCancelled, "the job was cancelled"},
		{exitUnreachable, "the API cannot be reached, or is none of Sluice's"},
		{exitRefused, "the API refuses the request; its code is in brackets"},
		{exitUnavailable, "the API cannot do it now; its code is in brackets"},
		{exitInterrupted, "interrupted; a job that was watched goes on"},
	} {
		fmt.Fprintf(&b, "  %-4d %s\n", c.code, c.meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// usage is the error of a command that was written wrongly.
type usage struct {
	command string
	err     error
}

func (e *usage) Error() string { return e.err.Error() + "; see " + e.command + " --help" }

func (e *usage) Unwrap() error { return e.err }

// ended is the error of a job that was watched and has not succeeded.
type ended struct{ job client.Job }

func (e *ended) Error() string {
	if e.job.State == client.JobStateCancelled {
		return "job " + e.job.ID + " was cancelled; sluice retry " + e.job.ID + " runs it again"
	}
	text := "job " + e.job.ID + " " + string(e.job.State)
	if why := e.job.Error; why != nil {
		text += ": " + visible(why.Message) + " [" + why.Code + "]"
	}
	return text
}

// interrupted is the error of a watch that was ended by a signal.
type interrupted struct{ jobID string }

func (e *interrupted) Error() string {
	return "no longer watching; the job goes on: sluice watch " + e.jobID + " watches it again, sluice cancel " + e.jobID + " ends it"
}

// errSilent is an error of which all has been said.
var errSilent = errors.New("said already")

// exitCode is what the outcome is for scripts.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if _, ok := errors.AsType[*interrupted](err); ok || errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if _, ok := errors.AsType[*usage](err); ok {
		return exitUsage
	}
	if e, ok := errors.AsType[*ended](err); ok {
		if e.job.State == client.JobStateCancelled {
			return exitCancelled
		}
		return exitFailed
	}
	if p, ok := errors.AsType[*client.Problem](err); ok {
		if p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests {
			return exitUnavailable
		}
		return exitRefused
	}
	_, unreachable := errors.AsType[*client.Unreachable](err)
	_, unexpected := errors.AsType[*client.Unexpected](err)
	if unreachable || unexpected {
		return exitUnreachable
	}
	return exitError
}

// message is what is said of an error; empty: nothing.
func message(err error) string {
	switch {
	case err == nil || errors.Is(err, errSilent):
		return ""
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Status == http.StatusUnauthorized {
		return visible(err.Error()) + "; put a key of this API into SLUICE_API_KEY"
	}
	if _, ok := errors.AsType[*client.Unreachable](err); ok {
		return visible(err.Error()) + "; see that it runs (sluice up), or name another one with --url or SLUICE_URL"
	}
	return visible(err.Error())
}
