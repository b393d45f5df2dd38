package localpg

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const (
	maxLogSize  = 8 << 20  // bytes; a log file above it starts anew with the server
	maxLogLine  = 16 << 10 // bytes of a line that are looked at; a statement in the log may be huge
	rememberedN = 20       // lines that an error may quote
)

// linePrefix is the log_line_prefix that serverLog reads: date, time, time zone, process number.
const linePrefix = "%m [%p] "

// serverLog takes what the server writes to stderr: all of it goes to a file, warnings and worse to the log, and from
// it Start learns that the server is ready or why it isn't. exec writes to it from one goroutine.
type serverLog struct {
	file  io.WriteCloser
	log   *slog.Logger
	shape *regexp.Regexp
	line  []byte        // the last line as far as it has come
	ready chan struct{} // closed when the server accepts connections
	isUp  bool

	mu     sync.Mutex
	recent []string // the last lines
	fatal  []string // the last lines that say why a process of the server ended, with their hints
}

func openLog(path string, log *slog.Logger) (*serverLog, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND | syscall.O_NOFOLLOW
	if info, err := os.Stat(path); err == nil && info.Size() > maxLogSize {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the Postgres log: %w", err)
	}
	return &serverLog{
		file:  file,
		log:   log,
		shape: regexp.MustCompile(`^(?:\S+ \S+ \S+ \[(\d+)\] )?([A-Z]+)\d?:  (.*)$`),
		ready: make(chan struct{}),
	}, nil
}

// Write never fails: a full disk must not stop the server at its next line.
func (l *serverLog) Write(p []byte) (int, error) {
	_, _ = l.file.Write(p)
	for rest := p; len(rest) > 0; {
		piece, after, ended := bytes.Cut(rest, []byte("\n"))
		l.line = append(l.line, piece[:min(len(piece), maxLogLine-len(l.line))]...)
		if ended {
			l.read(string(l.line))
			l.line = l.line[:0]
		}
		rest = after
	}
	return len(p), nil
}

func (l *serverLog) read(line string) {
	match := l.shape.FindStringSubmatch(line)
	if match == nil {
		l.remember(line, "")
		return
	}
	pid, level, message := match[1], match[2], match[3]
	l.remember(line, level)
	switch level {
	case "LOG":
		if message == "database system is ready to accept connections" && !l.isUp {
			l.isUp = true
			close(l.ready)
		}
	case "ERROR", "FATAL": // ends a statement or a session; the client is told and decides what it means
		l.warn(slog.LevelDebug, level, message, pid)
	case "WARNING":
		l.warn(slog.LevelWarn, level, message, pid)
	case "PANIC": // ends every session
		l.warn(slog.LevelError, level, message, pid)
	}
}

// warn leaves out the lines that may follow a message: they quote the statement and its data.
func (l *serverLog) warn(severity slog.Level, level, message, pid string) {
	number, _ := strconv.Atoi(pid)
	l.log.Log(context.Background(), severity, "postgres: "+message, "level", level, "pid", number) //nolint:sloglint // its own words
}

func (l *serverLog) remember(line, level string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent = lastN(append(l.recent, line))
	follows := len(l.fatal) > 0 && (level == "DETAIL" || level == "HINT" || level == "")
	if level == "FATAL" || level == "PANIC" || follows {
		l.fatal = lastN(append(l.fatal, line))
	}
}

func lastN(lines []string) []string { return lines[max(0, len(lines)-rememberedN):] }

// why is what the server has said about its end: its FATAL lines, or failing that its last ones.
func (l *serverLog) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.fatal) > 0 {
		return strings.Join(l.fatal, "\n")
	}
	return strings.Join(l.recent, "\n")
}

// cause turns a failed start into the error that callers decide on; nil if it is none of these. Before it serves,
// Postgres has no other way to tell us than words.
func (l *serverLog) cause(addr string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := strings.Join(l.recent, "\n")
	switch {
	case strings.Contains(said, "could not create any TCP/IP sockets") && strings.Contains(said, "Address already in use"):
		return &PortInUseError{Addr: addr}
	case strings.Contains(said, "pre-existing shared memory block"):
		return errStillAttached
	}
	return nil
}

func (l *serverLog) close() error { return l.file.Close() }
