package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWarningsReachTheLog(t *testing.T) {
	t.Parallel()
	said := &record{}
	cfg := throwaway(t, openDir(t))
	cfg.Log = said.logger()
	s := start(t, cfg)
	query(t, s.SocketURL("postgres"), "DO $$ BEGIN RAISE WARNING 'mind the %', 'gap'; RAISE NOTICE 'quiet'; END $$")
	if out, err := psql(t, s.SocketURL("postgres"), "SELECT 'secret' FROM nowhere"); err == nil {
		t.Fatalf("the statement did not fail: %s", out)
	}
	stop(t, s)
	for _, want := range []string{"postgres: mind the gap", "level=WARN"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the log does not say %q: %s", want, said)
		}
	}
	for _, unwanted := range []string{"quiet", "secret", "nowhere", "ready to accept"} {
		if strings.Contains(said.String(), unwanted) {
			t.Errorf("the log says %q", unwanted)
		}
	}
	text, err := os.ReadFile(s.home.log())
	if err != nil || !strings.Contains(string(text), "ready to accept") || !strings.Contains(string(text), "mind the gap") {
		t.Errorf("the file, %v: %s", err, text)
	}
}

func TestLogFileIsBounded(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	s := start(t, cfg)
	stop(t, s)
	before := size(t, s.home.log())
	stop(t, start(t, cfg))
	if size(t, s.home.log()) <= before {
		t.Error("a small log was not kept")
	}
	if err := os.Truncate(s.home.log(), maxLogSize+1); err != nil {
		t.Fatal(err)
	}
	stop(t, start(t, cfg))
	if size(t, s.home.log()) > maxLogSize {
		t.Error("a large log was kept")
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestServerLogReadsLines(t *testing.T) {
	t.Parallel()
	const stamp = "2026-01-02 03:04:05.678 UTC [99] "
	for name, test := range map[string]struct {
		pieces []string
		ready  bool
		why    string
		logged string
	}{
		"ready":          {[]string{stamp + "LOG:  database system is ready to accept connections\n"}, true, "ready to accept", ""},
		"in pieces":      {[]string{stamp + "LOG:  database system is re", "ady to accept connections", "\n"}, true, "ready to accept", ""},
		"in a statement": {[]string{stamp + "STATEMENT:  LOG:  database system is ready to accept connections\n"}, false, "STATEMENT", ""},
		"without prefix": {[]string{"FATAL:  no\nHINT:  do\n"}, false, "FATAL:  no\nHINT:  do", ""},
		"not its own":    {[]string{"sh: cannot\n"}, false, "sh: cannot", ""},
		"only the worst": {[]string{stamp + "LOG:  a\n" + stamp + "FATAL:  b\n" + stamp + "LOG:  c\n"}, false, stamp + "FATAL:  b", ""},
		"a warning":      {[]string{stamp + "WARNING:  w\n"}, false, "WARNING:  w", "postgres: w"},
		"a panic":        {[]string{stamp + "PANIC:  p\n"}, false, "PANIC:  p", "level=ERROR"},
		"a long line":    {[]string{stamp + "WARNING:  " + strings.Repeat("x", 3*maxLogLine), "yz\n", "FATAL:  end\n"}, false, "FATAL:  end", "postgres: xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := &record{}
			log, err := openLog(filepath.Join(openDir(t), "log"), said.logger())
			if err != nil {
				t.Fatal(err)
			}
			for _, piece := range test.pieces {
				if n, err := log.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
			}
			if log.isUp != test.ready {
				t.Errorf("ready is %v", log.isUp)
			}
			if !strings.Contains(log.why(), test.why) {
				t.Errorf("why is %q, want %q", log.why(), test.why)
			}
			if test.logged == "" && said.String() != "" || !strings.Contains(said.String(), test.logged) {
				t.Errorf("logged %s, want %q", said, test.logged)
			}
			if err := log.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
