package daemon

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// FlagError says what a flag's value must be that could not be read. Any other error it returns as it is.
func FlagError(err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	var wanted string
	switch flag := invalid.GetFlag(); flag.Value.Type() {
	case "int", "int64":
		wanted = "a whole number"
		if errors.Is(err, strconv.ErrRange) {
			wanted = "a number of at most 64 bits"
		}
	case "duration":
		wanted = "a time such as 500ms, 10s or 2h"
	case "bool":
		wanted = "true or false"
	default:
		return err
	}
	return fmt.Errorf("--%s must be %s, not %q", invalid.GetFlag().Name, wanted, invalid.GetValue())
}
