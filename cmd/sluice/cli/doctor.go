package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/doctor"
	"sluice/cmd/sluice/up"
	"sluice/pkg/daemon"
)

func doctorCommand(s *session) *cobra.Command {
	p := doctor.Patient{NATSURL: "nats://127.0.0.1:4222", DataDir: up.DefaultConfig().DataDir, Version: daemon.Version()}
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether Sluice is well, and what to do if not",
		Long: `Look at the API and what it needs, the queue and the ingesters; at NATS, with its streams, consumers and keys; at Postgres, if
--postgres-url or SLUICE_POSTGRES_URL names it; and at the disk that holds the data of sluice up. It changes nothing. Without
--nats-url it looks at the NATS of this machine, if there is one. What it cannot look at is skipped, and it says why.

The exit code is 1 if a check has failed.`,
		Example: `  sluice doctor
  sluice doctor --nats-url nats://nats:4222 -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := s.connect(cmd)
			if err != nil {
				return err
			}
			p.API, p.NATSGuessed = api, s.setting(cmd, "nats-url", "") == "" && !cmd.Flags().Changed("nats-url")
			p.NATSURL, p.PostgresURL = s.setting(cmd, "nats-url", p.NATSURL), s.setting(cmd, "postgres-url", p.PostgresURL)
			p.DataDir = s.setting(cmd, "data-dir", p.DataDir)
			return s.examined(cmd, doctor.Examine(cmd.Context(), p))
		},
	}
	f := command.Flags()
	f.StringVar(&p.NATSURL, "nats-url", p.NATSURL, "the NATS server (SLUICE_NATS_URL)")
	f.StringVar(&p.PostgresURL, "postgres-url", p.PostgresURL,
		"the Postgres that is loaded into (SLUICE_POSTGRES_URL, which is better where it holds a password)")
	f.StringVar(&p.DataDir, "data-dir", p.DataDir, "where sluice up keeps its data (SLUICE_DATA_DIR)")
	return command
}

// examined prints the report, and fails if a check has.
func (s *session) examined(cmd *cobra.Command, r doctor.Report) error {
	if s.output == formatJSON {
		data, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encoding the report: %w", err)
		}
		if err := printJSON(cmd, data); err != nil {
			return err
		}
	} else {
		t := newTable(cmd.OutOrStdout(), "CHECK", "STATE", "FOUND", "WHAT TO DO")
		for _, c := range r.Checks {
			t.row(c.Name, string(c.State), c.Detail, c.Advice)
		}
		if err := t.end(); err != nil {
			return err
		}
	}
	if r.State == doctor.Failed {
		return errSilent
	}
	return nil
}
