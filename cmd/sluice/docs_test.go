package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/internal/testenv"
)

// TestDocumented holds docs/cli.md to the verbs and flags that there are, and help to its form.
func TestDocumented(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{} // by the verb of their title
	for _, section := range regexp.MustCompile(`(?m)^##+ `).Split(string(page), -1) {
		title, text, _ := strings.Cut(section, "\n")
		for _, verb := range regexp.MustCompile(`sluice (\w+)`).FindAllStringSubmatch(title, -1) {
			sections[verb[1]] = text
		}
		if title == "For all verbs" {
			sections[""] = text
		}
	}
	command := newCommand()
	command.InitDefaultCompletionCmd()
	verbs := []string{"", "completion"}
	for _, c := range command.Commands() {
		verbs = append(verbs, c.Name())
		section, ok := sections[c.Name()]
		if !ok {
			t.Errorf("docs/cli.md has no section for sluice %s", c.Name())
		}
		if c.GroupID == "" || c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("sluice %s is in group %q and is called %q", c.Name(), c.GroupID, c.Short)
		}
		if c.HasSubCommands() || c.Name() == "up" || c.Name() == "setup" {
			continue // described elsewhere
		}
		if c.Example == "" || c.Long == "" {
			t.Errorf("help of sluice %s has no example, or no description", c.Name())
		}
		compareFlags(t, c, c.LocalNonPersistentFlags(), section)
	}
	compareFlags(t, command, command.PersistentFlags(), sections[""])
	for verb := range sections {
		if !slices.Contains(verbs, verb) {
			t.Errorf("docs/cli.md describes sluice %s, which there is not", verb)
		}
	}
}

// compareFlags compares a command's flags with those that a text names.
func compareFlags(t *testing.T, c *cobra.Command, flags *pflag.FlagSet, text string) {
	t.Helper()
	var named []string
	flagNames, commands := regexp.MustCompile("--([a-z][a-z-]+)"), regexp.MustCompile("(?s)```.*?```") // which may be of other verbs
	for _, flag := range flagNames.FindAllStringSubmatch(text, -1) {
		named = append(named, flag[1])
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && !slices.Contains(named, f.Name) {
			t.Errorf("docs/cli.md does not tell of --%s of %s", f.Name, c.CommandPath())
		}
	})
	for _, flag := range flagNames.FindAllStringSubmatch(commands.ReplaceAllString(text, ""), -1) {
		name := flag[1]
		if c.Flag(name) == nil && name != "help" {
			t.Errorf("docs/cli.md tells of --%s, which %s has not", name, c.CommandPath())
		}
	}
}
