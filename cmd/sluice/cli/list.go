package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

// filters say which jobs are listed.
type filters struct {
	state, priority, table, source, after, before string
	limit                                         int
}

func listCommand(s *session) *cobra.Command {
	var f filters
	command := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List jobs, the newest first",
		Long: `List jobs, the newest first. What is given must all hold. Times are a date (2026-11-30), a date and a time
(2026-11-30T08:00:00Z), or how long ago it is (90m, 24h).

ROWS is how many rows were read so far, and DONE how much of the file. A job that has failed or was cancelled has neither:
nothing of it is in the table.`,
		Example: `  sluice ls
  sluice ls --state failed --created-after 24h
  sluice ls --table trips --limit 0 -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.list(cmd, f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.state, "state", "", "only jobs in this state: "+strings.Join(states, ", "))
	flags.StringVar(&f.priority, "priority", "", "only jobs of this priority: urgent or normal")
	flags.StringVar(&f.table, "table", "", "only jobs with this table")
	flags.StringVar(&f.source, "source", "", "only jobs with this source, as they show it")
	flags.StringVar(&f.after, "created-after", "", "only jobs that were created then or later")
	flags.StringVar(&f.before, "created-before", "", "only jobs that were created before")
	flags.IntVar(&f.limit, "limit", 50, "how many jobs at the most; 0: all")
	completeWords(command, map[string][]string{"state": states, "priority": {"urgent", "normal"}})
	s.completeTables(command, "table")
	return command
}

var states = []string{"queued", "running", "retrying", "cancelling", "succeeded", "failed", "cancelled"}

func (s *session) list(cmd *cobra.Command, f filters) error {
	c, err := s.connect(cmd)
	if err != nil {
		return err
	}
	params, err := f.params(cmd, time.Now())
	if err != nil {
		return err
	}
	var jobs []client.Job
	var totals client.JobTotals
	pages := document{list: "jobs"}
	more, err := follow(f.limit, func(size int, cursor *string) (int, *string, error) {
		params.Limit, params.Cursor = &size, cursor
		ctx, cancel := s.brief(cmd)
		defer cancel()
		page, err := c.Jobs(ctx, params)
		if err != nil {
			return 0, nil, err
		}
		jobs, totals = append(jobs, page.Value.Jobs...), page.Value.Totals
		return len(page.Value.Jobs), page.Value.NextCursor, pages.add(page.JSON)
	})
	switch {
	case err != nil:
		return err
	case s.output == formatJSON:
		return printJSON(cmd, pages.bytes())
	}
	t := newTable(cmd.OutOrStdout(), "ID", "STATE", "TABLE", "ROWS", "DONE", "CREATED", "SOURCE")
	for _, j := range jobs {
		rows, done := amounts(j)
		t.row(j.ID, string(j.State), qualified(j.Schema, text(j.Table)), rows, done, moment(&j.CreatedAt), short(j.Source, 80))
	}
	if err := t.end(); err != nil {
		return err
	}
	if len(jobs) == 0 && strings.Contains(f.table, ".") {
		cmd.PrintErrln("There are no such jobs; --table takes a table's name without its schema.")
	}
	if more {
		cmd.PrintErrf("There are more (%s); --limit 0 lists all.\n", summary(totals))
	}
	return nil
}

// amounts are how many rows a job has read and which part of its file, but for one of which nothing is in the table.
func amounts(j client.Job) (rows, done string) {
	switch p := j.Progress; {
	case j.State == client.JobStateFailed || j.State == client.JobStateCancelled:
		return "-", "-"
	case p.Percent != nil:
		return progress.Number(p.Rows), fmt.Sprintf("%.0f%%", *p.Percent)
	default:
		return progress.Number(p.Rows), ""
	}
}

// summary counts jobs by their states.
func summary(t client.JobTotals) string {
	var parts []string
	for i, n := range []int{t.Queued, t.Running, t.Retrying, t.Cancelling, t.Succeeded, t.Failed, t.Cancelled} {
		if n > 0 {
			parts = append(parts, progress.Number(int64(n))+" "+states[i])
		}
	}
	return strings.Join(parts, ", ")
}

func (f filters) params(cmd *cobra.Command, now time.Time) (client.ListJobsParams, error) {
	p := client.ListJobsParams{Table: optional(f.table), Source: optional(f.source)}
	if f.limit < 0 {
		return p, Wrong(cmd, "--limit must not be negative")
	}
	if f.state != "" {
		state := client.JobState(f.state)
		if !state.Valid() {
			return p, Wrong(cmd, "--state must be one of %s, not %q", strings.Join(states, ", "), f.state)
		}
		p.State = &state
	}
	if f.priority != "" {
		priority := client.Priority(f.priority)
		if !priority.Valid() {
			return p, Wrong(cmd, "--priority must be urgent or normal, not %q", f.priority)
		}
		p.Priority = &priority
	}
	for _, t := range []struct {
		flag, text string
		to         **time.Time
	}{{"created-after", f.after, &p.CreatedAfter}, {"created-before", f.before, &p.CreatedBefore}} {
		if t.text == "" {
			continue
		}
		at, err := parseMoment(t.text, now)
		if err != nil {
			return p, Wrong(cmd, "--%s must be a date, a date and a time, or how long ago it is (24h), not %q", t.flag, t.text)
		}
		*t.to = &at
	}
	return p, nil
}

// parseMoment reads a time: a date and time of RFC 3339, a date of this machine's time zone, or how long ago it is.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return at, fmt.Errorf("reading a time: %w", err)
	}
	return at, nil
}

// optional is nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
