package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

// unsure is a confidence in how a file is written below which people should look at it.
const unsure = 0.4

// succeeded prints what a job has done, and on standard error what there is to look at.
func (s *session) succeeded(cmd *cobra.Command, c *client.Client, j client.Job) error {
	ctx, cancel := s.brief(cmd)
	defer cancel()
	result, err := c.Result(ctx, j.ID)
	if err != nil {
		result.Value = client.JobResult{} // the job has succeeded all the same
	}
	if err := say(cmd, success(j, result.Value)); err != nil {
		return err
	}
	if notes := remarkable(j, result.Value); len(notes) > 0 {
		cmd.PrintErrf("warnings: %s (sluice result %s)\n", strings.Join(notes, "; "), j.ID)
	}
	return nil
}

// success says what a job has done.
func success(j client.Job, r client.JobResult) string {
	said, table := "job "+j.ID+" succeeded: ", visible(qualified(j.Schema, text(j.Table)))
	if r.Outcome == client.JobResultOutcomeUnchanged {
		return said + "nothing has changed since job " + text(r.UnchangedSince) + " loaded the file into " + table
	}
	said += counted(j.Progress.Rows, "row")
	if table != "" {
		said += " into " + table
	}
	if j.Progress.Rejected > 0 {
		said += ", " + progress.Number(j.Progress.Rejected) + " rejected (sluice rejects " + j.ID + ")"
	}
	if j.StartedAt != nil && j.FinishedAt != nil {
		said += " in " + progress.Duration(j.FinishedAt.Sub(*j.StartedAt))
	}
	return said
}

// remarkable is what was found that people should look at.
func remarkable(j client.Job, r client.JobResult) []string {
	var notes []string
	if sure := r.Dialect.Confidence; sure != nil && *sure < unsure {
		notes = append(notes, fmt.Sprintf("how the file is written is a guess, with confidence %.2f", *sure))
	}
	for _, w := range j.Warnings {
		notes = append(notes, warning(w))
	}
	return notes
}
