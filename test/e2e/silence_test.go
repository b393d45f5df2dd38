package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// expectSilence looks for secrets in all that there is.
func (s *secretive) expectSilence(t *testing.T, ids map[string]string) {
	t.Helper()
	for _, id := range ids {
		for _, target := range []string{"", "/events", "/result"} {
			s.ask(t, http.MethodGet, "/v1/jobs/"+id+target, "")
		}
		s.ask(t, http.MethodGet, "/v1/jobs/"+id+"/events", "", "Accept: text/event-stream")
		s.ask(t, http.MethodGet, "/job_status?jobId="+id, "")
	}
	s.ask(t, http.MethodGet, "/v1/jobs?limit=1000", "")
	s.expectSilentOperation(t)
	s.expectSilentStreams(t)
	s.expectSilentDatabase(t)

	for _, p := range []*process{s.process, s.status, s.workers["right"]} {
		s.end(t, p)
	}
	s.expectSilent(t, "the messages on NATS", s.messages.bytes())
	s.expectSilent(t, "the live events", s.stream.bytes())
	for what, text := range map[string][]byte{"events.": s.messages.bytes(), "event: succeeded": s.stream.bytes()} {
		if !bytes.Contains(text, []byte(what)) {
			t.Errorf("nobody said %s: %d bytes were looked at", what, len(text))
		}
	}
	s.nats.Stop()
	if err := s.server.Stop(testenv.Context(t)); err != nil {
		t.Error(err)
	}
	s.expectSilentFiles(t, "what NATS keeps", s.nats.Dir())
	s.expectSilentFiles(t, "what Postgres keeps", s.dir)
	s.expectSilentFiles(t, "what Postgres keeps", s.server.DataDir())
}

// end ends a process, whose log must hold no secret.
func (s *secretive) end(t *testing.T, p *process) {
	t.Helper()
	p.stop(t)
	s.expectSilent(t, "the log of "+p.Cmd.Path, []byte(p.Stdout.String()+p.Stderr.String()))
}

// expectSilentOperation looks at what each process tells those who operate it.
func (s *secretive) expectSilentOperation(t *testing.T) {
	t.Helper()
	for name, p := range map[string]*process{"the API": s.process, "status": s.status, "the ingester": s.workers["right"]} {
		found := regexp.MustCompile(`"health and metrics".*"addr":"([^"]+)"`).FindStringSubmatch(p.Stderr.String())
		if found == nil {
			t.Fatalf("%s does not say where its metrics are", name)
		}
		for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
			at := instance{api: "http://" + found[1]}
			a := at.get(t, path)
			if s.expectSilent(t, path+" of "+name, a.body); a.status != http.StatusOK {
				t.Errorf("%s of %s: %d", path, name, a.status)
			}
		}
	}
}

// expectSilentStreams looks at each message that is kept, those of the buckets among them.
func (s *secretive) expectSilentStreams(t *testing.T) {
	t.Helper()
	ctx := testenv.Context(t)
	js, err := jetstream.New(s.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	names := js.StreamNames(ctx)
	kept := map[string]int{}
	for name := range names.Name() {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		state := stream.CachedInfo().State
		for sequence := state.FirstSeq; sequence <= state.LastSeq; sequence++ {
			m, err := stream.GetMsg(ctx, sequence)
			if err != nil {
				continue // it was taken off
			}
			kept[name]++
			s.expectSilent(t, fmt.Sprint("message ", sequence, " of ", name), fmt.Appendf(nil, "%s %v %s", m.Subject, m.Header, m.Data))
		}
	}
	if names.Err() != nil || kept["EVENTS"] == 0 || kept["KV_jobs"] == 0 || kept["KV_control"] == 0 {
		t.Errorf("%v messages were looked at: %v", kept, names.Err())
	}
}

// expectSilentDatabase looks at each row of each table, those that Postgres has for itself among them.
func (s *secretive) expectSilentDatabase(t *testing.T) {
	t.Helper()
	conn := connect(t, s.database)
	relations := column[string](t, conn, `SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' ORDER BY 1`)
	for _, relation := range append(relations, "pg_stat_activity") {
		for _, row := range column[string](t, conn, "SELECT r::text FROM "+relation+" AS r") {
			s.expectSilent(t, "table "+relation, []byte(row))
		}
	}
	if !slices.Contains(relations, "sluice.loads") || !slices.ContainsFunc(relations, func(name string) bool { return strings.Contains(name, "loaded-user") }) {
		t.Errorf("only %v were looked at", relations)
	}
	if _, err := conn.Exec(testenv.Context(t), "CHECKPOINT", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	binaries, err := localpg.Find(os.Getenv("SLUICE_PGBIN"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(binaries.Dir, "pg_dump")
	if _, err := os.Stat(program); err != nil {
		return // some packages leave it out; each row was looked at already
	}
	dump, err := exec.CommandContext(testenv.Context(t), program, "--dbname", s.database).CombinedOutput()
	if err != nil {
		t.Fatalf("dumping the database: %v\n%s", err, dump)
	}
	s.expectSilent(t, "the dump", dump)
}
