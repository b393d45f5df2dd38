package localpg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// launch starts the process and waits until it is ready, has ended, or the context has.
func (s *Server) launch(ctx context.Context, cfg Config, bins Binaries) error {
	port, err := s.home.choosePort(cfg)
	if err != nil {
		return err
	}
	s.port = port
	return s.launchOn(ctx, cfg, bins)
}

func (s *Server) launchOn(ctx context.Context, cfg Config, bins Binaries) (err error) {
	s.socket, s.tidy, err = s.home.socketDir()
	if err != nil {
		return err
	}
	s.log, err = openLog(s.home.log(), cfg.Log)
	if err != nil {
		return errors.Join(err, s.tidy())
	}
	cmd := exec.Command(bins.Postgres(), s.args(cfg.Settings)...)
	cmd.Dir = s.home.dir
	cmd.Env = cleanEnv()
	cmd.Stderr = s.log
	// SIGINT is Postgres's fast shutdown: sessions are cut, committed data are written out.
	s.child, err = startChild(cmd, syscall.SIGINT, s.home.account)
	if err != nil {
		return errors.Join(fmt.Errorf("starting postgres: %w", err), s.clear())
	}
	select {
	case <-s.log.ready:
		return nil
	case <-s.child.done:
		err = s.log.cause(tcpAddr(s.port))
		if err == nil {
			err = fmt.Errorf("%s, log %s", exitState(s.child.err), s.home.log())
		}
		err = fmt.Errorf("starting postgres: %w:\n%s", err, s.log.why())
	case <-ctx.Done():
		_ = s.child.cmd.Process.Signal(syscall.SIGQUIT) // fails only if it has just ended
		<-s.child.done
		err = fmt.Errorf("starting postgres: %w:\n%s", context.Cause(ctx), s.log.why())
	}
	return errors.Join(err, s.clear())
}

// args are the server's own. The first sets the shape of the log, so that all that follows is said in it.
func (s *Server) args(settings map[string]string) []string {
	args := []string{
		"-c", "log_line_prefix=" + linePrefix,
		"-D", s.home.data(),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "port=" + strconv.Itoa(s.port),
		"-c", "unix_socket_directories=" + quoteDir(s.socket),
		"-c", "unix_socket_permissions=0700",
		"-c", "log_destination=stderr",
		"-c", "logging_collector=off",
		"-c", "log_min_messages=warning",
		"-c", "lc_messages=C",
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// quoteDir writes a directory as an element of a list setting.
func quoteDir(dir string) string { return `"` + strings.ReplaceAll(dir, `"`, `""`) + `"` }

// clear puts away what the process used.
func (s *Server) clear() error { return errors.Join(s.log.close(), s.tidy()) }

func exitState(err error) string {
	if err == nil {
		return "it ended with exit status 0"
	}
	return "it ended with " + err.Error()
}
