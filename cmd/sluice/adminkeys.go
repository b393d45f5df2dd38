package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/sluice/cli"
	"sluice/pkg/apikey"
	"sluice/pkg/bus"
	"sluice/pkg/daemon"
)

// keysTime bounds how long something with keys may take.
const keysTime = 10 * time.Second

// keysFlags are what the commands about keys are told alike.
type keysFlags struct{ natsURL, output string }

func newKeysCommand() *cobra.Command {
	flags := &keysFlags{natsURL: "nats://127.0.0.1:4222", output: "table"}
	command := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke API keys",
		Long: `Make, list and revoke the keys that an API asks for which does not listen on a loopback address only, or has
--require-keys. They are kept in NATS, their secrets hashed.`,
		Args: cobra.NoArgs,
	}
	command.PersistentFlags().StringVar(&flags.natsURL, "nats-url", flags.natsURL, "the NATS server")
	command.PersistentFlags().StringVarP(&flags.output, "output", "o", flags.output, "how to print: table or json")
	command.AddCommand(newCreateKeyCommand(flags), newListKeysCommand(flags), newRevokeKeyCommand(flags))
	return command
}

func newCreateKeyCommand(flags *keysFlags) *cobra.Command {
	wanted, scopes, expires := apikey.Key{}, []string{}, ""
	command := &cobra.Command{
		Use:   "create",
		Short: "Make a key and print it, this once",
		Long: `Make a key and print it. It is printed this once and cannot be had again. Only the key is printed to standard output, and
all else to standard error, unless -o json asks for all of it.

Scopes are read (see jobs, datasets, queue and workers), write (create, cancel and retry jobs, upload and preview files) and admin
(drop datasets). None includes another one.`,
		Example: `  sluice admin keys create --name ci --scopes read,write --expires 90d
  export SLUICE_API_KEY=$(sluice admin keys create --name me --scopes read,write,admin)
  sluice admin keys create --name partner --scopes write --requests-per-minute 600 --queued-jobs 100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if wanted.Scopes, err = apikey.ParseScopes(scopes); err != nil {
				return cli.Wrong(cmd, "--scopes: %w", err)
			}
			wanted.CreatedAt = time.Now().UTC().Truncate(time.Second)
			if expires != "" {
				lasts, err := parseAge(expires)
				if err != nil {
					return cli.Wrong(cmd, "--expires: %w", err)
				}
				wanted.ExpiresAt = wanted.CreatedAt.Add(lasts)
			}
			if err := wanted.Valid(); err != nil {
				return cli.Wrong(cmd, "%w", err)
			}
			k, text := apikey.New(wanted)
			err = flags.withKeys(cmd, func(ctx context.Context, keys *bus.Keys) error { return keys.Put(ctx, k) })
			if err != nil {
				return err
			}
			return flags.printNew(cmd, k, text)
		},
	}
	command.Flags().StringVar(&wanted.Name, "name", "", "what the key is called, so that people know it again")
	command.Flags().StringSliceVar(&scopes, "scopes", nil, "what the key is good for: read, write, admin")
	command.Flags().StringVar(&expires, "expires", "", "after what time it is not valid any more, as in 90d or 12h (default: never)")
	command.Flags().IntVar(&wanted.RequestsPerMinute, "requests-per-minute", 0, "how many requests each API takes with it; 0: as many as come")
	command.Flags().IntVar(&wanted.QueuedJobs, "queued-jobs", 0, "how many of its jobs may wait on the queue; 0: as many as come")
	return command
}

func newListKeysCommand(flags *keysFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the keys that there are",
		Long:    `List the keys that there are, the oldest first: what they are good for, and not what they are.`,
		Example: `  sluice admin keys ls -o json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withKeys(cmd, func(ctx context.Context, keys *bus.Keys) error {
				all, err := keys.List(ctx)
				if err != nil {
					return err
				}
				return flags.printAll(cmd, all)
			})
		},
	}
}

func newRevokeKeyCommand(flags *keysFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID...",
		Short:   "Revoke keys by their ids",
		Long:    `Revoke keys by their ids, which ls lists and which are the second part of a key. They cease to work at once.`,
		Example: `  sluice admin keys revoke 5b1f0c9d`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return flags.withKeys(cmd, func(ctx context.Context, keys *bus.Keys) error {
				var bad []error
				for _, id := range ids {
					err := keys.Delete(ctx, id)
					switch {
					case errors.Is(err, bus.ErrKeyNotFound):
						bad = append(bad, fmt.Errorf("there is no key %q; `sluice admin keys ls` lists those that there are", id))
					case err != nil:
						bad = append(bad, err)
					default:
						cmd.PrintErrln("revoked key", id)
					}
				}
				return errors.Join(bad...)
			})
		},
	}
}

// withKeys does something with the bucket of keys.
func (f *keysFlags) withKeys(cmd *cobra.Command, do func(context.Context, *bus.Keys) error) error {
	if err := daemon.FromEnvironment(cmd.InheritedFlags(), os.LookupEnv); err != nil {
		return err
	}
	if !slices.Contains([]string{"table", "json"}, f.output) {
		return cli.Wrong(cmd, "--output must be table or json, not %q", f.output)
	}
	nc, err := bus.Connect(f.natsURL, "setup")
	if err != nil {
		return err
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), keysTime)
	defer cancel()
	return do(ctx, bus.NewKeys(nc))
}

// parseAge reads a duration, which may be in days.
func parseAge(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 36500 {
			return 0, fmt.Errorf("%q is not 1d to 36500d", text)
		}
		return time.Duration(n) * day, nil
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < time.Second {
		return 0, fmt.Errorf("%q is no time such as 90d or 12h", text)
	}
	return age, nil
}
