package localpg

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// maxSocketDir is the longest directory, in bytes, whose socket's path fits into a sun_path on every platform.
const maxSocketDir = 103 - len("/.s.PGSQL.65535")

// socketDir makes the directory of the unix socket, closed to all but the server's user. The second result removes it.
func (h home) socketDir() (string, func() error, error) {
	dir, err := h.makeSocketDir()
	if err != nil {
		return "", nil, fmt.Errorf("creating the socket's directory: %w", err)
	}
	remove := func() error { return os.RemoveAll(dir) }
	if err := h.account.own(dir); err != nil {
		return "", nil, errors.Join(fmt.Errorf("creating the socket's directory: %w", err), remove())
	}
	return dir, remove, nil
}

func (h home) makeSocketDir() (string, error) {
	if socketFits(h.run()) {
		// Made anew, so that neither left-overs nor a link that somebody put there can matter.
		if err := os.RemoveAll(h.run()); err != nil {
			return "", err
		}
		return h.run(), os.Mkdir(h.run(), 0o700)
	}
	base := os.TempDir()
	if obstacle, err := h.account.closed(base); err != nil || obstacle != "" || !socketFits(base+"/sluice-0123456789") {
		base = "/tmp"
	}
	return os.MkdirTemp(base, "sluice-")
}

// socketFits also refuses a comma: connection strings separate hosts with it.
func socketFits(dir string) bool { return len(dir) <= maxSocketDir && !strings.Contains(dir, ",") }

func tcpAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// choosePort returns port if it is free, or a free one for 0.
func choosePort(port int) (int, error) {
	listener, err := net.Listen("tcp", tcpAddr(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, &PortInUseError{Addr: tcpAddr(port)}
	}
	if err != nil {
		return 0, fmt.Errorf("looking for a port for Postgres: %w", err)
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("looking for a port for Postgres: %w", err)
	}
	if !ok {
		return 0, fmt.Errorf("looking for a port for Postgres: %s is no TCP address", listener.Addr())
	}
	return addr.Port, nil
}
