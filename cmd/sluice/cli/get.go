package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
)

func getCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "get ID",
		Short: "Show how a job stands",
		Long:  "Show how a job stands: its state, how far it is, and why it failed if it did.",
		Example: `  sluice get 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e
  sluice get -o json 01a1ff9c-3f0d-7b1a-9b57-0f5a3a6f1d2e`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.jobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := s.brief(cmd)
			defer cancel()
			return s.showJob(cmd)(c.Job(ctx, args[0]))
		},
	}
}

// showJob prints a job that was answered.
func (s *session) showJob(cmd *cobra.Command) func(client.Answer[client.Job], error) error {
	return func(a client.Answer[client.Job], err error) error {
		switch {
		case err != nil:
			return err
		case s.output == formatJSON:
			return printJSON(cmd, a.JSON)
		}
		return jobTable(cmd.OutOrStdout(), a.Value)
	}
}

func jobTable(w io.Writer, j client.Job) error {
	t := newTable(w)
	t.pair("id", j.ID)
	t.pair("state", string(j.State))
	t.pair("source", j.Source)
	t.pair("table", qualified(j.Schema, text(j.Table)))
	t.pair("mode", string(j.Mode))
	t.pair("priority", string(j.Priority))
	if j.QueuePosition != nil {
		t.pair("queue position", strconv.Itoa(*j.QueuePosition))
	}
	if j.Labels != nil {
		t.pair("labels", labels(*j.Labels))
	}
	t.pair("created", moment(&j.CreatedAt))
	t.pair("started", moment(j.StartedAt))
	t.pair("finished", moment(j.FinishedAt))
	t.pair("next attempt", moment(j.NextAttemptAt))
	t.pair("run, attempt", fmt.Sprintf("%d, %d", j.Run, j.Attempt))
	t.pair("progress", strings.TrimSpace(stateOf(j).String()))
	for _, w := range j.Warnings {
		t.pair("warning", warning(w))
	}
	if e := j.Error; e != nil {
		t.pair("error", e.Message+" ["+e.Code+"]")
		t.pair("at", place(e))
	}
	return t.end()
}

// qualified is a table's name with its schema, if it has a name yet.
func qualified(schema, table string) string {
	if table == "" {
		return ""
	}
	return schema + "." + table
}

func labels(m map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, name+"="+m[name])
	}
	return strings.Join(list, ", ")
}

func warning(w client.Warning) string {
	text := w.Code + " " + progress.Number(w.Count) + "×"
	if w.Lines == nil || len(*w.Lines) == 0 {
		return text
	}
	var lines []string
	for _, line := range *w.Lines {
		lines = append(lines, strconv.FormatInt(line, 10))
	}
	return text + ", first in line " + strings.Join(lines, ", ")
}

// place is where in the file a failure is.
func place(e *client.JobError) string {
	var parts []string
	for _, p := range []struct {
		name  string
		value *int64
	}{{"line", e.Line}, {"column", e.Column}, {"byte", e.ByteOffset}} {
		if p.value != nil {
			parts = append(parts, p.name+" "+strconv.FormatInt(*p.value, 10))
		}
	}
	return strings.Join(parts, ", ")
}
