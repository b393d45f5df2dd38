package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func dropCommand(s *session) *cobra.Command {
	schema, yes := "public", false
	command := &cobra.Command{
		Use:   "drop [SCHEMA.]TABLE",
		Short: "Drop a table that Sluice has made",
		Long: `Drop a table with all its rows, if Sluice has made it. On a terminal it asks first; elsewhere it wants --yes. A table that others
have made stays, and so does one that views or the like depend on.`,
		Example: `  sluice drop trips
  sluice drop sales.trips --yes`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.tables,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect(cmd)
			if err != nil {
				return err
			}
			schema, table := tableNamed(cmd, schema, args[0])
			name := qualified(schema, table)
			if !yes {
				if err := confirm(cmd, "Drop table "+visible(name)+" with all its rows?"); err != nil {
					return err
				}
			}
			ctx, cancel := s.brief(cmd)
			defer cancel()
			if err := c.DropDataset(ctx, schema, table); err != nil {
				return err
			}
			if s.output == formatJSON {
				return nil // the API answers nothing
			}
			return say(cmd, visible(name)+" dropped")
		},
	}
	command.Flags().StringVar(&schema, "schema", schema, "the table's schema; TABLE may have a dot then")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command
}

// confirm asks, and fails unless the answer is yes.
func confirm(cmd *cobra.Command, question string) error {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return Wrong(cmd, "nobody can be asked here: give --yes")
	}
	cmd.PrintErr(question + " [y/N] ")
	answers := make(chan string, 1)
	go func() { // which Ctrl-C does not wait for
		text, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil { // no answer is no
			cmd.PrintErrln()
		}
		answers <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case answer := <-answers:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return errors.New("nothing was dropped")
	case <-cmd.Context().Done():
		cmd.PrintErrln()
		return fmt.Errorf("nothing was dropped: %w", context.Cause(cmd.Context()))
	}
}
