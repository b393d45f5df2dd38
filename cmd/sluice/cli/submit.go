package cli

import (
	"crypto/rand"
	"time"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

func submitCommand(s *session) *cobra.Command {
	var r request
	watching, interval := false, progressInterval
	command := &cobra.Command{
		Use:   "submit [URL|FILE|-]",
		Short: "Load a file into a table",
		Long: `Create a job that loads a CSV file into a table, and print its id. The file is at a URL; or it is one of this machine, which
is uploaded first, if the API takes the request; or it is standard input, as -; or it is what was uploaded before, as upload:ID.

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
				return Wrong(cmd, "--interval must be more than 0")
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
	var job client.Answer[client.Job]
	create := func(body []byte) error {
		key := r.idempotency
		if key == "" {
			key = rand.Text() // so that it may be sent again when the answer is lost
		}
		ctx, cancel := s.brief(cmd)
		defer cancel()
		job, err = c.CreateJobJSON(ctx, body, key)
		return err
	}
	switch {
	case len(args) == 0 && r.body == "":
		return Wrong(cmd, "it takes the URL or the path of a file")
	case len(args) == 0:
		err = sent(fields, create)
	case args[0] == standardInput && r.body == standardInput:
		return Wrong(cmd, "standard input cannot be both the file and the request")
	case r.idempotency != "" && isLocal(args[0]):
		return Wrong(cmd, "--idempotency-key goes with a URL or an upload:ID only: a file that is uploaded anew is another one")
	default:
		err = s.asking(cmd, c, fields, &r.source, args[0], create)
		if id, named := fields["upload"]; err != nil && named && isLocal(args[0]) {
			cmd.PrintErrf("The file stays uploaded for a day: to submit it again, name it %s.\n", id)
		}
	}
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
