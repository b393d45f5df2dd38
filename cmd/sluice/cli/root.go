package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sluice/pkg/daemon"
)

// The groups in which help shows the verbs.
const (
	GroupRun       = "run"
	GroupLoad      = "load"
	GroupLook      = "look"
	GroupLookAfter = "look after"
)

// NewRoot returns the command with the verbs that ask a running Sluice. The caller adds those that run one.
func NewRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Sluice loads CSV files into Postgres as jobs",
		Long: `Sluice loads CSV files into Postgres as jobs.

Verbs that ask a running Sluice find it at --url, or SLUICE_URL. Its key, where it asks for one, is in SLUICE_API_KEY, or in
the file that --api-key-file or SLUICE_API_KEY_FILE names: never on the command line, which others can see.

Exit codes:
` + exitCodes(),
		Example: `  sluice up
  sluice submit https://example.org/trips.csv --table trips --watch
  sluice ls --state failed`,
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		SilenceErrors:              true,
		Args:                       known,
		ValidArgsFunction:          cobra.NoFileCompletions,
		RunE:                       help,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usage{cmd.CommandPath(), daemon.FlagError(err)} })
	root.AddGroup(
		&cobra.Group{ID: GroupRun, Title: "Run Sluice:"},
		&cobra.Group{ID: GroupLoad, Title: "Load files:"},
		&cobra.Group{ID: GroupLook, Title: "Look at jobs and tables:"},
		&cobra.Group{ID: GroupLookAfter, Title: "Look after Sluice:"},
	)
	root.SetHelpCommandGroupID(GroupLookAfter)
	root.SetCompletionCommandGroupID(GroupLookAfter)

	s := newSession()
	s.flags(root.PersistentFlags())
	s.complete(root)
	add(root, GroupLoad, submitCommand(s), uploadCommand(s), previewCommand(s), retryCommand(s), cancelCommand(s))
	add(root, GroupLook, listCommand(s), getCommand(s), watchCommand(s), resultCommand(s), rejectsCommand(s),
		datasetsCommand(s), rowsCommand(s))
	add(root, GroupLookAfter, dropCommand(s), doctorCommand(s), versionCommand(s))
	return root
}

func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// known refuses a verb that there is not.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no verb %q", args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += fmt.Sprintf("; is it %s?", like[0])
	}
	return errors.New(text) // which markUsage makes known as wrong usage
}

// Main runs the command, says on stderr what is wrong, and returns the exit code.
func Main(ctx context.Context, root *cobra.Command, stderr io.Writer) int {
	markUsage(root)
	err := root.ExecuteContext(ctx)
	if text := message(err); text != "" {
		_, _ = fmt.Fprintln(stderr, "sluice:", text) // there is nowhere else to say it
	}
	return exitCode(err)
}

// markUsage has arguments that a verb does not take known as wrong usage.
func markUsage(cmd *cobra.Command) {
	if !cmd.Runnable() { // it has verbs of its own
		cmd.Args, cmd.RunE = known, help
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil {
				return nil
			}
			if cmd.HasSubCommands() {
				return &usage{cmd.CommandPath(), err}
			}
			return Wrong(cmd, "%w: %s", err, cmd.UseLine())
		}
	}
	for _, c := range cmd.Commands() {
		markUsage(c)
	}
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
