package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Process is a program that runs until it is told to end.
type Process struct {
	Name  string // of the program
	Short string // what it does, in a sentence
	Flags func(*pflag.FlagSet)
	Run   func(ctx context.Context, log *slog.Logger) error
}

// Main runs the process with the arguments, the environment and the signals that this one gets, and returns its exit
// code: 0 when it was told to end, 1 when it failed, 2 when it was called wrongly.
func (p Process) Main() int {
	ctx, stop := Signals(context.Background())
	defer stop()
	flags := pflag.NewFlagSet(p.Name, pflag.ContinueOnError)
	level := flags.String("log-level", "info", "debug, info, warn or error")
	p.Flags(flags)
	flags.Usage = func() { p.usage(flags) }
	err := FlagError(flags.Parse(os.Args[1:]))
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err == nil {
		err = FromEnvironment(flags, os.LookupEnv)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v; see %s --help\n", p.Name, err, p.Name)
		return 2
	}
	log, err := NewLog(os.Stderr, *level)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
		return 2
	}
	if err := p.Run(ctx, log); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
		return 1
	}
	return 0
}

func (p Process) usage(flags *pflag.FlagSet) {
	fmt.Fprintf(os.Stderr, "%s %s.\n\nEach flag can also be given in the environment:\n\n", p.Name, strings.TrimSuffix(p.Short, "."))
	flags.VisitAll(func(f *pflag.Flag) {
		value := ""
		if f.DefValue != "" && f.DefValue != "[]" {
			value = " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(os.Stderr, "  --%-14s %-24s %s%s\n", f.Name, Variable(f.Name), f.Usage, value)
	})
}
