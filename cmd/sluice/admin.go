package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"sluice/pkg/bus"
	"sluice/pkg/daemon"
	"sluice/pkg/events"
)

func newAdminCommand() *cobra.Command {
	command := &cobra.Command{Use: "admin", Short: "Look after a running Sluice", Args: cobra.NoArgs}
	command.AddCommand(newReconcileCommand(), newKeysCommand())
	return command
}

func newReconcileCommand() *cobra.Command {
	natsURL, patience := "nats://127.0.0.1:4222", 10*time.Minute
	command := &cobra.Command{
		Use:   "reconcile",
		Short: "Have status compare all jobs with the history and the ledger, and repair what differs",
		Long: `Have status compare all jobs with the history in NATS and with the ledger in Postgres, and repair what differs. Status
does so by itself when it starts; asking for it is for after a restore, and does no harm at any time.

It prints how many documents were folded again, ends of jobs reported again and lost messages put back, how many jobs
could not be compared, and whether all of the ledger was read. While that is not so it asks again, and ends with an error
when its patience does.

Each flag can also be given as an environment variable: SLUICE_ and its name in capitals, as in SLUICE_NATS_URL.`,
		Example: `  sluice admin reconcile --nats-url nats://nats:4222`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := daemon.FromEnvironment(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			return reconcile(ctx, cmd, natsURL)
		},
	}
	command.Flags().StringVar(&natsURL, "nats-url", natsURL, "the NATS server")
	command.Flags().DurationVar(&patience, "patience", patience, "how long it may take")
	return command
}

// reconcileAgain is the pause between two tries.
const reconcileAgain = time.Second

// reconcile asks until all has been compared: services that have only just been started do not answer yet.
func reconcile(ctx context.Context, cmd *cobra.Command, natsURL string) error {
	nc, err := bus.Connect(natsURL, "setup")
	if err != nil {
		return err
	}
	defer nc.Close()
	var all events.Reconciled
	for said := ""; ; {
		why := ask(ctx, nc, &all)
		if why == nil {
			break
		}
		if ctx.Err() != nil {
			return why
		}
		if why.Error() != said {
			said = why.Error()
			cmd.PrintErrln("asking again:", said)
		}
		select {
		case <-ctx.Done():
			return why
		case <-time.After(reconcileAgain):
		}
	}
	if err := json.NewEncoder(cmd.OutOrStdout()).Encode(all); err != nil {
		return fmt.Errorf("saying what was done: %w", err)
	}
	return nil
}

// ask has status reconcile once, adds up what was done, and fails if that was not all.
func ask(ctx context.Context, nc *nats.Conn, all *events.Reconciled) error {
	var done events.Reconciled
	err := bus.Ask(ctx, nc, events.SubjectStatusReconcile, events.Reconcile{}, &done)
	if errors.Is(err, nats.ErrNoResponders) {
		return errors.New("no status service is running: nobody can reconcile")
	}
	if err != nil {
		return err
	}
	all.Documents, all.Reported, all.Requeued = all.Documents+done.Documents, all.Reported+done.Reported, all.Requeued+done.Requeued
	all.Unchecked, all.Complete = done.Unchecked, done.Complete
	return unfinished(done)
}

// unfinished says what has not been compared, if anything.
func unfinished(done events.Reconciled) error {
	const look = "see that an ingester runs and reaches Postgres"
	switch {
	case done.Unchecked == 1:
		return errors.New("1 job could not be compared with the ledger; " + look)
	case done.Unchecked > 0:
		return fmt.Errorf("%d jobs could not be compared with the ledger; %s", done.Unchecked, look)
	case !done.Complete:
		return errors.New("the ledger was not read whole; " + look)
	}
	return nil
}
