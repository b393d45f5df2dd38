package localpg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portFile keeps the TCP port from one start to the next, so that addresses which people have noted stay right.
func (h home) portFile() string { return filepath.Join(h.dir, "port") }

// choosePort returns the port that was asked for, or for 0 the one that the cluster had before, unless somebody else has
// that now: then another one, which is the cluster's from there on.
func (h home) choosePort(cfg Config) (int, error) {
	if cfg.Port != 0 {
		return choosePort(cfg.Port)
	}
	before, err := h.knownPort()
	if err != nil {
		return 0, err
	}
	port, err := choosePort(before)
	if errors.As(err, new(*PortInUseError)) {
		if port, err = choosePort(0); err == nil {
			cfg.Log.Warn("somebody else uses the port that Postgres had; its address is another one from now on", "had", before, "port", port)
		}
	}
	if err != nil || port == before {
		return port, err
	}
	if err := os.WriteFile(h.portFile(), []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("keeping the port of Postgres: %w", err)
	}
	return port, nil
}

// knownPort returns 0 for a cluster that had none, or whose file was cut off.
func (h home) knownPort() (int, error) {
	text, err := os.ReadFile(h.portFile())
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the port of Postgres: %w", err)
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
	if err != nil {
		return 0, nil //nolint:nilerr // any free one will do
	}
	return int(port), nil
}
