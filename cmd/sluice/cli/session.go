package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/cmd/sluice/progress"
	"sluice/pkg/client"
	"sluice/pkg/daemon"
)

// session is what all verbs share: whom to ask, and how to show the answer.
type session struct {
	url     string
	keyFile string
	output  string
	timeout time.Duration
	display *progress.Display // on standard error
	waits   waits
}

func newSession() *session {
	display := progress.New(os.Stderr, progressInterval)
	return &session{
		url: "http://127.0.0.1:3000", output: formatTable, timeout: time.Minute, display: display, waits: waits{say: display.Say, now: time.Now},
	}
}

func (s *session) flags(f *pflag.FlagSet) {
	f.StringVar(&s.url, "url", s.url, "where the API is (SLUICE_URL)")
	f.StringVar(&s.keyFile, "api-key-file", s.keyFile, "a file that holds the API key (SLUICE_API_KEY_FILE); SLUICE_API_KEY is the key itself")
	f.StringVarP(&s.output, "output", "o", s.output, "table, or json: what the API answers; rows and rejects also as csv, rows as ndjson")
	f.DurationVar(&s.timeout, "timeout", s.timeout, "how long an answer may take; not for files, exports and what is watched")
}

// hangTime is how long an answer may take to begin, beyond --timeout.
const hangTime = 30 * time.Second

// connect returns the client to ask. The formats are those that the verb has.
func (s *session) connect(cmd *cobra.Command, formats ...string) (*client.Client, error) {
	if len(formats) == 0 {
		formats = []string{formatTable, formatJSON}
	}
	if !slices.Contains(formats, s.output) {
		return nil, Wrong(cmd, "--output must be %s, not %q", strings.Join(formats, " or "), s.output)
	}
	if s.timeout <= 0 {
		return nil, Wrong(cmd, "--timeout must be more than 0")
	}
	key, err := s.key(cmd)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// An API that hangs is noticed by whatever has no limit of its own; a question that waits for news takes half a minute.
		ResponseHeaderTimeout: s.timeout + hangTime,
		TLSHandshakeTimeout:   hangTime,
		ForceAttemptHTTP2:     true,
	}
	c, err := client.New(s.setting(cmd, "url", s.url), client.Config{
		Key: key, UserAgent: "sluice/" + daemon.Version(), HTTP: &http.Client{Transport: transport}, Waiting: s.waits.told,
	})
	if err != nil {
		return nil, Wrong(cmd, "--url (SLUICE_URL): %w", err)
	}
	return c, nil
}

// setting is the value of a flag that can also be given in the environment.
func (s *session) setting(cmd *cobra.Command, flag, value string) string {
	if given := os.Getenv(daemon.Variable(flag)); given != "" && !cmd.Flags().Changed(flag) {
		return given
	}
	return value
}

func (s *session) key(cmd *cobra.Command) (string, error) {
	file := s.setting(cmd, "api-key-file", s.keyFile)
	key := os.Getenv("SLUICE_API_KEY")
	if file != "" && (key == "" || cmd.Flags().Changed("api-key-file")) {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the API key (--api-key-file): %w", err)
		}
		key = string(text)
	}
	key = strings.TrimSpace(key)
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("the API key must be one line of printable ASCII characters without spaces")
	}
	return key, nil
}

// brief returns a context for a question that has an answer soon.
func (s *session) brief(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(cmd.Context(), s.timeout)
}

// Wrong is the error of a command that was written wrongly.
func Wrong(cmd *cobra.Command, format string, args ...any) error {
	return &usage{cmd.CommandPath(), fmt.Errorf(format, args...)}
}
