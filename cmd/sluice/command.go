package main

import (
	"os"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/cli"
	"sluice/cmd/sluice/up"
	"sluice/pkg/daemon"
)

func newCommand() *cobra.Command {
	root := cli.NewRoot()
	up, setup, admin := newUpCommand(), newSetupCommand(), newAdminCommand()
	up.GroupID, setup.GroupID, admin.GroupID = cli.GroupRun, cli.GroupRun, cli.GroupLookAfter
	root.AddCommand(up, setup, admin)
	return root
}

func newUpCommand() *cobra.Command {
	config := up.DefaultConfig()
	command := &cobra.Command{
		Use:   "up",
		Short: "Run all of Sluice in this process, with NATS and Postgres",
		Long: `Run all of Sluice in this process: NATS with JetStream, a private Postgres, the API, status, ingesters
and a server of sample files. Ctrl-C ends all of it; jobs and data are kept for the next time.

Each flag can also be given as an environment variable: SLUICE_ and its name in capitals, as in SLUICE_DATA_DIR.`,
		Example: `  sluice up
  sluice up --data-dir ./data --api-addr 127.0.0.1:3001
  sluice up --postgres-url postgres://me@db.example.com/warehouse`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := daemon.FromEnvironment(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			log, err := daemon.NewLog(os.Stderr, config.LogLevel)
			if err != nil {
				return err
			}
			return up.Run(cmd.Context(), config, cmd.OutOrStdout(), log)
		},
	}
	config.Flags(command.Flags())
	return command
}
