// Package localpg runs a private Postgres: it finds the binaries, makes the cluster, runs the server as a child process
// and sees to it that the server ends when its parent does. It serves the one-process mode, whose data a user keeps, and
// tests, whose clusters are thrown away. It knows no SQL; callers connect with a driver of their own.
package localpg

import (
	"errors"
	"fmt"
	"log/slog"
)

// Superuser is the name of the one role a new cluster has.
const Superuser = "sluice"

// Config says where a private cluster lives and how it runs.
type Config struct {
	// Dir is the cluster's home: data directory, socket, lock and log lie in it. Created if missing. When we are root
	// the server runs as another user, so Dir is made passable for others (o+x); what lies in it stays closed.
	Dir string
	// BinDir is where postgres and initdb lie. Empty: searched for as by Find, preferring the version Dir already has.
	BinDir string
	// Port is the TCP port on 127.0.0.1. 0: a free one, which is kept in Dir and used again for as long as it is free.
	Port int
	// Settings are further server settings, passed as -c name=value. Those that Start needs for itself are refused.
	// With fsync=off a new cluster isn't flushed to disk either.
	Settings map[string]string
	// Template is an initialised data directory (see Init) that a new cluster is copied from, password included.
	// Empty: initdb is run.
	Template string
	// Log gets where the cluster was put and the server's own warnings and panics, and as debug what ended statements and
	// sessions, which their clients are told. Nil: nothing is logged.
	Log *slog.Logger
}

// reserved are the settings that finding, reaching and watching the server depend on.
func reserved() []string {
	return []string{
		"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "data_directory", "hba_file",
		"logging_collector", "log_destination", "log_line_prefix", "log_min_messages", "lc_messages",
	}
}

// checked returns c with its defaults, or what is wrong with it.
func (c Config) checked() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("localpg: Config.Dir is empty")
	}
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("localpg: port %d is not between 0 and 65535", c.Port)
	}
	for _, name := range reserved() {
		if _, ok := c.Settings[name]; ok {
			return c, fmt.Errorf("localpg: the setting %s can't be chosen, the server is run by it", name)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// durable tells whether the data must outlive a power failure.
func (c Config) durable() bool { return c.Settings["fsync"] != "off" }
