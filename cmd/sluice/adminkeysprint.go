package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/pkg/apikey"
)

// shownKey is a key as it is printed.
type shownKey struct {
	Key               string         `json:"key,omitempty"` // when it is made
	ID                string         `json:"id"`
	Name              string         `json:"name"`
	Scopes            []apikey.Scope `json:"scopes"`
	CreatedAt         time.Time      `json:"created_at"`
	ExpiresAt         time.Time      `json:"expires_at,omitzero"`
	RequestsPerMinute int            `json:"requests_per_minute"`
	QueuedJobs        int            `json:"queued_jobs"`
}

func shownAs(k apikey.Key, text string) shownKey {
	return shownKey{text, k.ID, k.Name, k.Scopes, k.CreatedAt, k.ExpiresAt, k.RequestsPerMinute, k.QueuedJobs}
}

func (f *keysFlags) printNew(cmd *cobra.Command, k apikey.Key, text string) error {
	if f.output == "json" {
		return printKeysAsJSON(cmd, shownAs(k, text))
	}
	cmd.PrintErrf("key %s is made: %s; scopes %s; expires %s; %s requests a minute, %s jobs on the queue\nIt is not shown again.\n",
		k.ID, k.Name, scopeNames(k.Scopes), keyExpiry(k), keyLimit(k.RequestsPerMinute), keyLimit(k.QueuedJobs))
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), text); err != nil {
		return fmt.Errorf("printing the key: %w", err)
	}
	return nil
}

func (f *keysFlags) printAll(cmd *cobra.Command, all []apikey.Key) error {
	if f.output == "json" {
		list := make([]shownKey, len(all))
		for i, k := range all {
			list[i] = shownAs(k, "")
		}
		return printKeysAsJSON(cmd, map[string][]shownKey{"keys": list})
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tNAME\tSCOPES\tCREATED\tEXPIRES\tREQUESTS/MIN\tQUEUED JOBS") // Flush tells of what fails
	for _, k := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, scopeNames(k.Scopes), k.CreatedAt.Format(time.RFC3339),
			keyExpiry(k), keyLimit(k.RequestsPerMinute), keyLimit(k.QueuedJobs))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the keys: %w", err)
	}
	return nil
}

func printKeysAsJSON(cmd *cobra.Command, value any) error {
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

func scopeNames(scopes []apikey.Scope) string {
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return strings.Join(names, ",")
}

func keyExpiry(k apikey.Key) string {
	switch {
	case k.ExpiresAt.IsZero():
		return "never"
	case !time.Now().Before(k.ExpiresAt):
		return k.ExpiresAt.Format(time.RFC3339) + " (expired)"
	}
	return k.ExpiresAt.Format(time.RFC3339)
}

func keyLimit(n int) string {
	if n == 0 {
		return "any"
	}
	return strconv.Itoa(n)
}
