// Package cli tests the sluice command as people and scripts use it: the built program, against a running sluice up.
package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// bin is the folder that holds the built command.
var bin string

func TestMain(m *testing.M) {
	testenv.MainIn(m, func(dir string) error {
		bin = dir
		return testenv.Build(dir, "./cmd/sluice")
	})
}

// TestCommand uses the command on one sluice up.
func TestCommand(t *testing.T) {
	s := start(t, "--slots", "16")
	t.Run("scripts", func(t *testing.T) { s.scripts(t, "testdata/script") })
	t.Run("terminal", s.onTerminal)
	t.Run("documentation", s.documentation)
}

// TestKeys uses the command on one that asks for keys.
func TestKeys(t *testing.T) {
	start(t, "--require-keys").scripts(t, "testdata/keys")
}

// site is a sluice up that is ready, and a web server of files to load.
type site struct {
	api, files, nats, postgres string // where they are
	web                        *testenv.Web
	dir                        string // of its data
}

// start starts sluice up for a test, with these flags besides.
func start(t *testing.T, flags ...string) site {
	t.Helper()
	dir := testenv.Dir(t)
	u := testenv.StartUp(t, filepath.Join(bin, "sluice"), dir, nil, flags...)
	s := site{api: u.API, files: u.Files, nats: u.NATS, postgres: u.Postgres, web: testenv.StartWeb(t), dir: dir}
	s.serve()
	return s
}

// serve says which files there are to load.
func (s site) serve() {
	const csv = "Content-Type: text/csv"
	s.web.On("/people.csv", testenv.File("id,name,born\n1,Ada,1815-12-10\n2,\"Grace, Rear Admiral\",1906-12-09\n3,,\n", csv))
	s.web.On("/bad.csv", testenv.File("a,b\n1,2\n3,4,5\n6,\"7\n", csv))
	s.web.On("/page.html", testenv.File("<!DOCTYPE html><html><body>Please log in</body></html>", "Content-Type: text/html"))
	s.web.On("/slow.csv", testenv.Answer{testenv.Head(200, csv), testenv.Send("n,text\n"), testenv.Trickle("1,abc\n", 50*time.Millisecond)})
	s.web.On("/large.csv", testenv.File("n,text\n"+strings.Repeat("1234,some text that takes room\n", 200_000), csv))
}

// environment is what a script or a program is given.
func (s site) environment() []string {
	return []string{
		"SLUICE_URL=" + s.api, "SLUICE_NATS_URL=" + s.nats, "SLUICE_POSTGRES_URL=" + s.postgres, "SLUICE_DATA_DIR=" + s.dir,
		"WEB=" + s.web.URL, "FILES=" + s.files,
	}
}
