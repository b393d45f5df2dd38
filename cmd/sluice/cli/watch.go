package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

// progressInterval is the pause between two lines of progress where no terminal shows a bar.
const progressInterval = 5 * time.Second

const intervalUsage = "how often a line tells how far it is, where standard error is no terminal"

func watchCommand(s *session) *cobra.Command {
	interval := progressInterval
	command := &cobra.Command{
		Use:   "watch ID",
		Short: "Show how far a job is, until it has ended",
		Long: `Show how far a job is until it has ended: as a bar on a terminal, and else as a line now and then, on standard error. The exit
code tells how it has ended: 0 succeeded, 3 failed, 4 cancelled. Ctrl-C ends the watching, not the job.`,
		Example: `  sluice watch 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice watch -o json "$(sluice submit trips.csv --table trips)"`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if interval <= 0 {
				return Wrong(cmd, "--interval must be more than 0")
			}
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			return s.watch(cmd, c, args[0], interval)
		},
	}
	command.Flags().DurationVar(&interval, "interval", interval, intervalUsage)
	return command
}

// watch shows how far a job is, prints how it has ended, and fails unless it has succeeded.
func (s *session) watch(cmd *cobra.Command, c *client.Client, id string, interval time.Duration) error {
	s.display.Interval = interval
	var last client.Answer[client.Job]
	for job, err := range c.Watch(cmd.Context(), id) {
		if err != nil {
			s.display.End()
			if errors.Is(err, context.Canceled) {
				return &interrupted{id}
			}
			return err
		}
		last = job
		s.display.Show(stateOf(job.Value))
	}
	s.display.End()
	if s.output == formatJSON {
		if err := printJSON(cmd, last.JSON); err != nil {
			return err
		}
	}
	if last.Value.State != client.JobStateSucceeded {
		return &ended{last.Value}
	}
	if s.output == formatJSON {
		return nil
	}
	return s.succeeded(cmd, c, last.Value)
}

// stateOf is what there is to show of a job.
func stateOf(j client.Job) progress.State {
	p := j.Progress
	s := progress.State{
		Name: string(j.State), Bytes: p.Bytes, Total: p.TotalBytes, Percent: p.Percent, Rows: p.Rows, Rate: p.BytesPerSecond, ETA: p.EtaSeconds,
	}
	var notes []string
	switch j.State {
	case client.JobStateRunning:
		if p.Phase != nil {
			s.Name = string(*p.Phase)
		}
	case client.JobStateQueued:
		if j.QueuePosition != nil {
			notes = append(notes, fmt.Sprintf("%d in the queue", *j.QueuePosition))
		}
	case client.JobStateRetrying:
		if j.Error != nil {
			notes = append(notes, visible(j.Error.Message))
		}
		if j.NextAttemptAt != nil {
			notes = append(notes, "again at "+j.NextAttemptAt.Local().Format(time.TimeOnly))
		}
	case client.JobStateFailed, client.JobStateCancelled:
		s.Rate, s.ETA = nil, nil
		notes = append(notes, "nothing was loaded")
	case client.JobStateSucceeded:
		s.Rate, s.ETA = nil, nil
	}
	if p.Rejected > 0 {
		notes = append(notes, progress.Number(p.Rejected)+" rejected")
	}
	s.Note = strings.Join(notes, ", ")
	return s
}
