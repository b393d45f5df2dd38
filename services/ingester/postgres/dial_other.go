//go:build !linux

package postgres

import "syscall"

// limitUnacknowledged leaves it to the system how long what was sent may stay unacknowledged.
func limitUnacknowledged(string, string, syscall.RawConn) error { return nil }
