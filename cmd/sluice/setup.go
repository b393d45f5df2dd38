package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/services/ingester/postgres"
)

func newSetupCommand() *cobra.Command {
	natsURL, postgresURL, topology := "nats://127.0.0.1:4222", "", bus.Topology{Replicas: 1}
	command := &cobra.Command{
		Use:   "setup",
		Short: "Make the streams, the buckets and the database schema that Sluice's services need",
		Long: `Make the streams, consumers and buckets in NATS and schema sluice in Postgres, or bring them to the state that
this version needs. It may be run at any time, any number of times; what is there is kept.

Each flag can also be given as an environment variable: SLUICE_ and its name in capitals, as in SLUICE_NATS_URL.`,
		Example: `  sluice setup --nats-url nats://nats:4222 --postgres-url postgres://sluice@db/warehouse`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := daemon.FromEnvironment(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			if postgresURL == "" {
				return errors.New("--postgres-url must name the Postgres to load into")
			}
			if topology.UploadBytes < 0 {
				return errors.New("--upload-store-bytes must not be negative")
			}
			return setup(cmd, natsURL, postgresURL, topology)
		},
	}
	command.Flags().StringVar(&natsURL, "nats-url", natsURL, "the NATS server")
	command.Flags().StringVar(&postgresURL, "postgres-url", postgresURL, "the Postgres to load into")
	command.Flags().IntVar(&topology.Replicas, "replicas", topology.Replicas, "copies of each stream: 1 on one server, 3 in a cluster")
	command.Flags().Int64Var(&topology.UploadBytes, "upload-store-bytes", topology.UploadBytes,
		"what uploads may take of NATS's store all together, so that the queue has room too; 0: all of it")
	return command
}

func setup(cmd *cobra.Command, natsURL, postgresURL string, topology bus.Topology) error {
	nc, err := bus.Connect(natsURL, "setup")
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := topology.Setup(cmd.Context(), nc); err != nil {
		return err
	}
	db, err := postgres.Connect(cmd.Context(), postgresURL, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(cmd.Context()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), "NATS and Postgres are set up."); err != nil {
		return fmt.Errorf("saying so: %w", err)
	}
	return nil
}
