package cli

import (
	"github.com/spf13/cobra"
)

func uploadCommand(s *session) *cobra.Command {
	name := ""
	command := &cobra.Command{
		Use:   "upload FILE|-",
		Short: "Send a file, to load it later",
		Long: `Send a file of this machine, or standard input, and print what to name it by: submit takes that in the place of a URL. It is
removed once a job has loaded it, and else after a day.`,
		Example: `  sluice upload trips.csv
  sluice submit "$(sluice upload trips.csv)" --table trips
  gzip -c trips.csv | sluice upload - --filename trips.csv.gz`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: files,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			a, err := s.upload(cmd, c, args[0], name, func() error { return nil })
			switch {
			case err != nil:
				return err
			case s.output == formatJSON:
				return printJSON(cmd, a.JSON)
			}
			return say(cmd, a.Value.Upload)
		},
	}
	command.Flags().StringVar(&name, "filename", "", "what the file is called (default: its name)")
	return command
}
