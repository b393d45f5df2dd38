//go:build !linux

package postgres

import (
	"net"
	"testing"
)

func wantOptions(*testing.T, *net.TCPConn) {}
