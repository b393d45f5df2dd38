// Package daemon is what every process of Sluice has: its log, its settings from the environment and its signals.
package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// NewLog returns a logger that writes to f: lines for people if f is a terminal, else JSON. Levels are debug, info, warn
// and error.
func NewLog(f *os.File, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("SLUICE_LOG_LEVEL (--log-level) must be debug, info, warn or error, not %q", level)
	}
	if isatty.IsTerminal(f.Fd()) {
		return slog.New(tint.NewTextHandler(f, &tint.Options{Level: l, TimeFormat: time.TimeOnly})), nil
	}
	return slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: l})), nil
}
