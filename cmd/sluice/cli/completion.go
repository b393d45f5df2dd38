package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/pkg/client"
)

// completeTime is how long a completion may take: nobody waits for one that asks a Sluice that is away.
const completeTime = time.Second

// files completes names of files.
func files(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// complete has the values of the flags completed that all verbs have.
func (s *session) complete(root *cobra.Command) {
	completeWords(root, map[string][]string{"output": {formatTable, formatJSON, formatCSV, formatNDJSON}})
}

// completeWords has the values of flags completed.
func completeWords(cmd *cobra.Command, words map[string][]string) {
	for flag, list := range words {
		// It fails only for a flag that there is not.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
	}
}

// jobs completes ids, of the newest jobs.
func (s *session) jobs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	c, ctx, stop := s.completing(cmd)
	defer stop()
	if c == nil || len(args) > 0 {
		return nil, none
	}
	page, err := c.Jobs(ctx, client.ListJobsParams{})
	if err != nil {
		return nil, none
	}
	var ids []string
	for _, j := range page.Value.Jobs {
		ids = append(ids, cobra.CompletionWithDesc(j.ID, string(j.State)+" "+visible(short(j.Source, 60))))
	}
	return ids, none | cobra.ShellCompDirectiveKeepOrder
}

// tables completes names of tables that were loaded, as verbs that have --schema take them.
func (s *session) tables(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	c, ctx, stop := s.completing(cmd)
	defer stop()
	if c == nil || len(args) > 0 {
		return nil, none
	}
	params := client.ListDatasetsParams{}
	schema := cmd.Flags().Lookup("schema")
	if schema != nil && schema.Changed {
		params.Schema = optional(schema.Value.String())
	}
	page, err := c.Datasets(ctx, params)
	if err != nil {
		return nil, none
	}
	var list []string
	for _, d := range page.Value.Datasets {
		name := d.Table
		if schema != nil && !schema.Changed && (d.Schema != "public" || strings.Contains(name, ".")) {
			name = qualified(d.Schema, name)
		}
		list = append(list, visible(name))
	}
	return list, none
}

// completeTables has the values of a flag completed by the names of tables.
func (s *session) completeTables(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return s.tables(cmd, nil, word)
	})
}

// completing returns the client to ask, nil if there is none, and how long it may be asked.
func (s *session) completing(cmd *cobra.Command) (*client.Client, context.Context, context.CancelFunc) {
	ctx, stop := context.WithTimeout(cmd.Context(), completeTime)
	c, err := s.connect(cmd, s.output)
	if err != nil {
		return nil, ctx, stop
	}
	return c, ctx, stop
}
