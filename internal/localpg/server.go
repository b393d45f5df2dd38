package localpg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Server is a running Postgres. Its methods may be called from several goroutines.
type Server struct {
	home     home
	password string
	port     int
	socket   string // directory
	child    *child
	log      *serverLog
	tidy     func() error // removes the socket's directory

	stopping atomic.Bool
	signal   sync.Once
	done     chan struct{}
	err      error // to be read after done
}

// watch waits for the server's end and lets go of the directory before anybody is told.
func (s *Server) watch(lock *lock) {
	<-s.child.done
	if err := errors.Join(s.clear(), lock.release()); err != nil {
		s.err = fmt.Errorf("cleaning up after postgres: %w", err)
	}
	switch {
	case s.child.err != nil:
		s.err = fmt.Errorf("postgres ended unexpectedly: %w:\n%s", s.child.err, s.log.why())
	case !s.stopping.Load():
		s.err = fmt.Errorf("postgres ended unexpectedly: %w", errEnded)
	}
	close(s.done)
}

// Stop shuts the server down in order and waits for it: open sessions are cut, data are written out. If the context
// ends first, the server is stopped at once, to recover at its next start, and the context's error is returned. On a
// server that has ended, for whatever reason, Stop does nothing.
func (s *Server) Stop(ctx context.Context) error {
	if s.ended() {
		return nil
	}
	s.stopping.Store(true)
	s.signal.Do(func() { _ = s.child.cmd.Process.Signal(syscall.SIGINT) }) // fails only if it has just ended
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
	}
	_ = s.child.cmd.Process.Signal(syscall.SIGQUIT)
	<-s.done
	return fmt.Errorf("stopping postgres in order: %w", context.Cause(ctx))
}

func (s *Server) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Done is closed when the server has ended, for whatever reason, and its directory may be used again.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is nil while the server runs and after it was stopped in order; otherwise it says how the server ended.
func (s *Server) Err() error {
	if s.ended() {
		return s.err
	}
	return nil
}

// DataDir is the data directory. It lies in Config.Dir unless the server's user couldn't reach that.
func (s *Server) DataDir() string { return s.home.data() }

// URL is the database's address on the loopback TCP port, for people. It contains the password.
func (s *Server) URL(database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(Superuser, s.password),
		Host: tcpAddr(s.port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// SocketURL is the database's address on the unix socket, for processes of our user or root; it needs no password.
func (s *Server) SocketURL(database string) string { return s.SocketURLAs(Superuser, database) }

// SocketURLAs is [Server.SocketURL] for another role.
func (s *Server) SocketURLAs(role, database string) string {
	query := url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}}
	plain := strings.ReplaceAll(query.Encode(), "+", "%20") // libpq takes a plus for a plus
	address := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: plain}
	return address.String()
}
