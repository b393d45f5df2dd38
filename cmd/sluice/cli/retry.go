package cli

import (
	"time"

	"github.com/spf13/cobra"
)

func retryCommand(s *session) *cobra.Command {
	watching, interval := false, progressInterval
	command := &cobra.Command{
		Use:   "retry ID",
		Short: "Run a job again that has failed or was cancelled",
		Long:  "Run a job again that has failed or was cancelled: the same request, under the same id, with attempts counted anew.",
		Example: `  sluice retry 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice retry --watch 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if interval <= 0 {
				return Wrong(cmd, "--interval must be more than 0")
			}
			return s.retry(cmd, args[0], watching, interval)
		},
	}
	command.Flags().BoolVar(&watching, "watch", false, "show how far the job is, until it has ended")
	command.Flags().DurationVar(&interval, "interval", interval, intervalUsage)
	return command
}

func (s *session) retry(cmd *cobra.Command, id string, watching bool, interval time.Duration) error {
	c, err := s.connect(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := s.brief(cmd)
	defer cancel()
	job, err := c.RetryJob(ctx, id)
	if err == nil && watching {
		return s.watch(cmd, c, job.Value.ID, interval)
	}
	return s.said(cmd, job, err)
}
