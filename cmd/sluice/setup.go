package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/services/ingester/postgres"
)

// readerPassword is no flag: the command line can be seen by everyone.
const readerPassword = "SLUICE_READER_PASSWORD" //nolint:gosec // the name of a variable, not what is in it

func newSetupCommand() *cobra.Command {
	natsURL, postgresURL, topology := "nats://127.0.0.1:4222", "", bus.Topology{Replicas: 1}
	command := &cobra.Command{
		Use:   "setup",
		Short: "Make the streams, the buckets and the database schema that Sluice's services need",
		Long: `Make the streams, consumers and buckets in NATS and schema sluice in Postgres, or bring them to the state that
this version needs. It may be run at any time, any number of times; what is there is kept.

It also makes the database role sluice_reader, which can read what was loaded and nothing else. With SLUICE_READER_PASSWORD
in the environment the role can log in with that password: give the API the URL, as its SLUICE_POSTGRES_URL.

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
			if err := postgres.CheckReaderPassword(os.Getenv(readerPassword)); err != nil {
				return fmt.Errorf("%s cannot be used: %w", readerPassword, err)
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
	said := "NATS and Postgres are set up."
	password := os.Getenv(readerPassword)
	hidden, err := makeReader(cmd.Context(), db, password)
	switch {
	case err != nil && password != "":
		return err
	case err != nil:
		said += fmt.Sprintf(" The API cannot read what is loaded yet: %v", err)
	case len(hidden) > 0:
		said += fmt.Sprintf(" The API cannot read yet what others are changing: %s. The ingesters let it, once that is done.",
			strings.Join(hidden, ", "))
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), said); err != nil {
		return fmt.Errorf("saying so: %w", err)
	}
	return nil
}

// makeReader lets the API read what is loaded, and returns of what that did not succeed yet.
func makeReader(ctx context.Context, db *postgres.Database, password string) (hidden []string, err error) {
	if err := db.MakeReader(ctx, postgres.ReaderLogin{Password: password}); err != nil {
		return nil, err
	}
	return db.ShowDatasets(ctx)
}
