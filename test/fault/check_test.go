package fault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
)

// check is how every case ends: each job that was ever accepted has ended as it may, its rows are there once and in full
// or not at all, nothing is left of the work, and the status tells what is true.
func (s *system) check() {
	s.t.Helper()
	conn := s.database.connect(s.t)
	s.adopt()
	var tables []string
	for _, a := range s.jobs {
		j := s.awaitEnd(a.id)
		if a.table == "" {
			a.table = j.Table // a derived one
		}
		if !slices.Contains(a.outcomes, j.State) {
			s.t.Errorf("job %s for table %s is %s, want %v: %+v", a.id, a.table, j.State, a.outcomes, j.Error)
		}
		ledger := column[string](s.t, conn, `SELECT state || ' ' || coalesce(table_name, '') FROM sluice.loads WHERE job_id = $1`, a.id)
		switch state := map[string]string{"succeeded": "committed", "failed": "failed", "cancelled": "cancelled"}[j.State]; {
		case j.State == "cancelled" && len(ledger) == 0: // before any worker had it
		case len(ledger) != 1 || !strings.HasPrefix(ledger[0], state+" "):
			s.t.Errorf("the status of job %s is %s, the ledger's is %v", a.id, j.State, ledger)
		}
		if j.State == "succeeded" {
			tables = append(tables, a.table)
			s.checkDataset(conn, a, j)
		}
	}
	s.checkNothingElse(conn, tables)
	s.checkQueue()
	s.checkStatus()
	s.checkMemory()
}

// checkDataset holds that a table has the file's rows, all of them, once, and that the result says so.
func (s *system) checkDataset(conn *pgx.Conn, a *accepted, j job) {
	s.t.Helper()
	var result struct {
		Table    string `json:"table"`
		Rows     int64  `json:"rows"`
		Checksum string `json:"checksum"`
	}
	s.read("/v1/jobs/"+a.id+"/result", &result)
	if result.Table != a.table || result.Rows != a.file.rows || result.Checksum != a.file.checksum || j.Progress.Rows != a.file.rows {
		s.t.Errorf("the result of job %s is %+v with %d rows in its status, want %d rows of %s in table %s",
			a.id, result, j.Progress.Rows, a.file.rows, a.file.checksum, a.table)
	}
	if a.shared {
		return
	}
	name := pgx.Identifier{"public", a.table}.Sanitize()
	rows := column[int64](s.t, conn, "SELECT count(*) FROM "+name)
	sum := sha256.New()
	_, err := conn.PgConn().CopyTo(testenv.Context(s.t), sum, "COPY (SELECT * FROM "+name+" ORDER BY n::bigint) TO STDOUT")
	if got := hex.EncodeToString(sum.Sum(nil)); err != nil || rows[0] != a.file.rows || got != a.file.table {
		s.t.Errorf("table %s has %d rows with checksum %s, want %d with %s (%v)", a.table, rows[0], got, a.file.rows, a.file.table, err)
	}
}

// adopt takes jobs into account that came into being although their clients were not told so: a 503 promises nothing.
func (s *system) adopt() {
	s.t.Helper()
	testenv.Eventually(s.ctx, s.t, "a list of all jobs", func() error {
		if err := s.isFolded(); err != nil {
			return err
		}
		listed := s.list()
		keys, err := s.bus.Documents.Keys(s.ctx)
		if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
			return err
		}
		for _, id := range keys {
			j, ok := listed[id]
			if !ok {
				return fmt.Errorf("job %s is not listed", id)
			}
			if s.byID[id] == nil {
				s.t.Logf("job %s for table %s was not confirmed", id, j.Table)
				s.remember(&accepted{id: id, table: j.Table, file: s.tried[j.Table], outcomes: []string{"succeeded"}})
			}
		}
		return nil
	})
}

// list returns all jobs that the API lists, by their ids.
func (s *system) list() map[string]job {
	s.t.Helper()
	listed := make(map[string]job)
	for cursor := ""; ; {
		var page struct {
			Jobs       []job  `json:"jobs"`
			NextCursor string `json:"next_cursor"`
		}
		s.read("/v1/jobs?limit=1000"+cursor, &page)
		for _, j := range page.Jobs {
			listed[j.ID] = j
		}
		if page.NextCursor == "" {
			return listed
		}
		cursor = "&cursor=" + page.NextCursor
	}
}
