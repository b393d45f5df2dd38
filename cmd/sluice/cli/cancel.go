package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

func cancelCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID...",
		Short: "Cancel jobs",
		Long: `Cancel jobs. One that waits is cancelled at once; one that is running is cancelling until its worker has confirmed it, and
leaves nothing behind. One whose rows were committed first succeeds. With -o json it prints a document for each job.
One that cannot be cancelled does not keep the others.`,
		Example: `  sluice cancel 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice ls --state queued -o json --limit 0 | jq -r '.jobs[].id' | xargs -r sluice cancel`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			var bad error
			for _, id := range args {
				ctx, cancel := s.brief(cmd)
				job, err := c.CancelJob(ctx, id)
				cancel()
				err = s.said(cmd, job, err)
				switch _, refused := errors.AsType[*client.Problem](err); {
				case refused: // which the next one need not be
					err = fmt.Errorf("%s: %w", id, err)
					cmd.PrintErrln("sluice:", message(err))
					bad = fmt.Errorf("%w: %w", errSilent, err)
				case err != nil:
					return err
				}
			}
			return bad
		},
	}
}

// said prints what has become of a job.
func (s *session) said(cmd *cobra.Command, job client.Answer[client.Job], err error) error {
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, job.JSON)
	}
	return say(cmd, job.Value.ID+" "+string(job.Value.State))
}
