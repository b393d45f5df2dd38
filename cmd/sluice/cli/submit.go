package cli

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func submitCommand(s *session) *cobra.Command {
	var r request
	watching, interval := false, progressInterval
	command := &cobra.Command{
		Use:   "submit [URL|FILE|-]",
		Short: "Load a file into a table",
		Long: `Create a job that loads a CSV file into a table, and print its id. The file is at a URL; or it is one of this machine, which
is uploaded first; or it is standard input, as -; or it is what was uploaded before, as upload:ID.

What is not said about the file is detected. What the flags do not say can be said with --request, in the words of the API:
it is the body of POST /v1/jobs, and may name the file, too.

With --watch it shows how far the job is until that has ended, and the exit code tells how: 0 succeeded, 3 failed, 4
cancelled. Ctrl-C ends the watching, not the job.`,
		Example: `  sluice submit http://localhost:8000/tripsdata.csv --table trips --watch
  sluice submit trips.csv.gz --table trips --mode append --types infer
  gunzip -c trips.csv.gz | sluice submit - --filename trips.csv --watch
  sluice submit https://example.org/t.csv --header-field @secret-headers.txt --column id=integer --types infer
  sluice submit --request job.json -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: files,
		RunE: func(cmd *cobra.Command, args []string) error {
			if interval <= 0 {
				return wrong(cmd, "--interval must be more than 0")
			}
			return s.submit(cmd, &r, args, watching, interval)
		},
	}
	r.flags(command.Flags())
	command.Flags().BoolVar(&watching, "watch", false, "show how far the job is, until it has ended")
	command.Flags().DurationVar(&interval, "interval", interval, intervalUsage)
	completeWords(command, map[string][]string{
		"mode": {"create", "replace", "append", "upsert"}, "priority": {"urgent", "normal"}, "types": {"text", "infer"},
		"extra-fields": {"rescue", "reject"}, "column-names": {"original", "snake"},
	})
	s.completeTables(command, "table")
	return command
}

func (s *session) submit(cmd *cobra.Command, r *request, args []string, watching bool, interval time.Duration) error {
	c, err := s.connect(cmd)
	if err != nil {
		return err
	}
	fields, err := r.build(cmd)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0 && r.body == "":
		return wrong(cmd, "it takes the URL or the path of a file")
	case len(args) == 1:
		if args[0] == standardInput && r.body == standardInput {
			return wrong(cmd, "standard input cannot be both the file and the request")
		}
		if r.idempotency != "" && isLocal(args[0]) {
			return wrong(cmd, "--idempotency-key goes with a URL or an upload:ID only: a file that is uploaded anew is another one")
		}
		if err := r.source.into(fields, cmd, c, args[0]); err != nil {
			return err
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	key := r.idempotency
	if key == "" {
		key = rand.Text() // so that it may be sent again when the answer is lost
	}
	ctx, cancel := s.brief(cmd)
	defer cancel()
	job, err := c.CreateJobJSON(ctx, body, key)
	if err != nil {
		return err
	}
	switch {
	case watching:
		return s.watch(cmd, c, job.Value.ID, interval)
	case s.output == formatJSON:
		return printJSON(cmd, job.JSON)
	}
	cmd.PrintErrf("%s; watch it with: sluice watch %s\n", job.Value.State, job.Value.ID)
	return say(cmd, job.Value.ID)
}
