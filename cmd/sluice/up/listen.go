package up

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen opens a port, or says which flag moves it.
func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with --%s", addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s (--%s): %w", addr, flag, err)
	}
	return l, nil
}

// probe checks that a port is free for a server that opens it itself.
func probe(addr, flag string) error {
	l, err := listen(addr, flag)
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", addr, err)
	}
	return nil
}
