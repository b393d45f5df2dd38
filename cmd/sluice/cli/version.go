package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/pkg/daemon"
)

// versions are those of the two ends.
type versions struct {
	Client string `json:"client"`
	Server string `json:"server,omitempty"`
}

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of this command, and of the API",
		Long:              "Show the version of this command, and that of the API if it can be reached. It never fails.",
		Example:           `  sluice version`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			v := versions{Client: daemon.Version()}
			ctx, cancel := s.brief(cmd)
			defer cancel()
			said, err := c.Health(ctx)
			if err == nil && said.Value.Version != nil {
				v.Server = *said.Value.Version
			}
			if s.output == formatJSON {
				data, err := json.Marshal(v)
				if err != nil {
					return fmt.Errorf("encoding versions: %w", err)
				}
				return printJSON(cmd, data)
			}
			t := newTable(cmd.OutOrStdout())
			t.pair("client", v.Client)
			switch {
			case err != nil:
				t.pair("server", "not known: "+err.Error())
			case v.Server == "":
				t.pair("server", "not known: it does not say")
			default:
				t.pair("server", v.Server)
			}
			return t.end()
		},
	}
}
