package daemon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// FromEnvironment sets each flag that was not given from its variable, SLUICE_ and the flag's name in capitals. Its
// error names every variable at fault.
func FromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var bad []error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookup(Variable(f.Name))
		if !ok || f.Changed {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", Variable(f.Name), FlagError(err)))
		}
	})
	return errors.Join(bad...)
}

// Variable names the environment variable of a flag.
func Variable(flag string) string {
	return "SLUICE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
