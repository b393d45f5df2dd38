package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/localpg"
	"sluice/internal/testenv"
)

// TestBackupOnline copies both stores, restores them and holds what docs/operations.md says of each job, by its commands.
func TestBackupOnline(t *testing.T) {
	t.Parallel()
	o, s, files := newOperator(t), &site{}, newHeldFiles(t)
	nats := startNATS(t)
	s.natsURL, s.database = at(t, nats), testenv.Database(t)
	before := beginBackup(t, s, files)
	keys := newKeptKeys(t, s)
	o.knows("BACKUP", testenv.Dir(t))
	o.knows("NATS_BACKUP_URL", nats.url(t, "backup"))
	o.knows("POSTGRES_URL", s.database)

	copying := steps(t, "Online backup")
	o.does(t, copying[0])
	files.release(t, "running1") // it ends between the two copies, as does a job that is accepted between them
	s.api.awaitState(t, before["running1"], "succeeded")
	between := s.accepted(t, files, "between")
	s.api.awaitState(t, between, "succeeded")
	for _, step := range copying[1:] {
		o.does(t, step)
	}
	keys.change(t, s)
	after := endAfterBackup(t, s, files, before)
	nats.stop(t)

	nats = startNATS(t)
	s.natsURL, s.database = at(t, nats), testenv.Database(t)
	o.knows("NATS_BACKUP_URL", nats.url(t, "backup"))
	o.knows("POSTGRES_URL", s.database)
	for _, step := range steps(t, "Online restore") {
		o.does(t, step)
	}
	before["between"] = between
	checkRestored(t, o, s, files, before, after)
	keys.checkRestored(t, o, s)
}

// TestBackupCold is the same with NATS stopped, and with a base backup of Postgres.
func TestBackupCold(t *testing.T) {
	t.Parallel()
	o, s, files := newOperator(t), &site{}, newHeldFiles(t)
	store, home := testenv.Dir(t), testenv.Dir(t)
	nats, postgres := startNATSIn(t, store), startPostgres(t, localpg.Config{Dir: home})
	s.natsURL, s.database = at(t, nats), warehouse(t, postgres)
	before := beginBackup(t, s, files)
	keys := newKeptKeys(t, s)
	o.knows("BACKUP", testenv.Dir(t))
	o.knows("NATS_STORE", store)
	o.knows("POSTGRES_URL", s.database)

	s.stop(t)
	nats.stop(t)
	for _, step := range steps(t, "Cold backup") {
		o.does(t, step)
	}
	nats = startNATSIn(t, store)
	s.natsURL = at(t, nats)
	s.start(t, "status", "status")
	s.start(t, "ingester", "ingester")
	s.open(t)
	files.release(t, "running1")
	keys.change(t, s)
	after := endAfterBackup(t, s, files, before)
	nats.stop(t)
	if err := postgres.Stop(testenv.Context(t)); err != nil {
		t.Fatal(err)
	}
	for _, lost := range []string{store, postgres.DataDir()} {
		if err := os.RemoveAll(lost); err != nil {
			t.Fatal(err)
		}
	}

	restored := filepath.Join(testenv.Dir(t), "pgdata")
	o.knows("PGDATA", restored)
	for _, step := range steps(t, "Cold restore") {
		o.does(t, step)
	}
	nats = startNATSIn(t, store)
	postgres = startPostgres(t, localpg.Config{Dir: testenv.Dir(t), Template: restored}) // to which its user gets the rights
	s.natsURL, s.database = at(t, nats), postgres.SocketURL("warehouse")
	o.knows("POSTGRES_URL", s.database)
	checkRestored(t, o, s, files, before, after)
	keys.checkRestored(t, o, s)
}

// beginBackup brings about jobs of all kinds: some that have ended, two that are running, two that wait, and
// one that waits to load an upload.
func beginBackup(t *testing.T, s *site, files *heldFiles) map[string]string {
	t.Helper()
	s.setUp(t)
	s.start(t, "status", "status")
	s.start(t, "ingester", "ingester")
	s.open(t)
	jobs := map[string]string{}
	for _, table := range []string{"ended1", "ended2"} {
		jobs[table] = s.accepted(t, files, table)
		s.api.awaitState(t, jobs[table], "succeeded")
	}
	for _, table := range []string{"running1", "running2"} {
		jobs[table] = s.accepted(t, files, table)
		s.api.awaitState(t, jobs[table], "running")
	}
	for _, table := range []string{"waiting1", "waiting2"} {
		jobs[table] = s.accepted(t, files, table)
	}
	jobs["uploaded"] = s.api.submitUpload(t, s.api.upload(t, "uploaded.csv", fileOfNumbers()), "uploaded")
	return jobs
}

// endAfterBackup ends all jobs, has another one accepted and loaded, and then ends the services. It returns that job's id.
func endAfterBackup(t *testing.T, s *site, files *heldFiles, before map[string]string) string {
	t.Helper()
	files.release(t, "running2")
	after := s.accepted(t, files, "after")
	s.api.awaitState(t, after, "succeeded")
	for _, id := range before {
		s.api.awaitState(t, id, "succeeded")
	}
	s.stop(t)
	return after
}

// checkRestored starts the services on the restored stores, and holds that each job of before the backup was loaded once,
// and that the one of after it is unknown, and loads when it is submitted again.
func checkRestored(t *testing.T, o *operator, s *site, files *heldFiles, before map[string]string, after string) {
	t.Helper()
	o.knows("NATS_SETUP_URL", s.natsURL("setup"))
	for _, step := range steps(t, "After a restore") {
		o.does(t, step)
	}
	s.start(t, "status", "status")
	s.start(t, "ingester", "ingester")
	for _, step := range steps(t, "Repair of the status") {
		t.Log(o.does(t, step))
	}
	s.open(t)
	wanted := map[string]string{}
	for table, id := range before {
		s.api.awaitState(t, id, "succeeded")
		wanted[table] = numbersOfAll()
	}
	if _, status := s.api.job(t, after); status != http.StatusNotFound {
		t.Errorf("the job of after the backup is answered with %d", status)
	}
	if got := s.tables(t); !maps.Equal(got, wanted) {
		t.Errorf("there are %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(wanted)))
	}
	if id := s.accepted(t, files, "after"); id != after {
		t.Errorf("submitted again with its key the job of after the backup is %s, it was %s", id, after)
	}
	s.api.awaitState(t, after, "succeeded")
	wanted["after"] = numbersOfAll()
	if got := s.tables(t); !maps.Equal(got, wanted) {
		t.Errorf("there are %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(wanted)))
	}
}

// accepted submits the job of a table, and returns its id.
func (s *site) accepted(t *testing.T, files *heldFiles, table string) string {
	t.Helper()
	j, status := s.api.submit(t, files.url+"/"+table, table)
	if status != http.StatusAccepted {
		t.Fatalf("the job of %s is answered with %d", table, status)
	}
	return j.ID
}

// rows is how many a file has.
const rows = 200

// numbersOfAll is what the table of a file holds.
func numbersOfAll() string {
	var numbers []string
	for n := range rows {
		numbers = append(numbers, fmt.Sprint(n))
	}
	return strings.Join(numbers, " ")
}

// heldFiles serves a file under any name. Those called running stop in the middle until they are released.
type heldFiles struct {
	url  string
	gate map[string]chan struct{}
}

func newHeldFiles(t *testing.T) *heldFiles {
	h := &heldFiles{gate: map[string]chan struct{}{"/running1": make(chan struct{}), "/running2": make(chan struct{})}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, "n")
		for n := range rows {
			if gate, held := h.gate[r.URL.Path]; held && n == rows/2 {
				_ = http.NewResponseController(w).Flush()
				select {
				case <-gate:
				case <-r.Context().Done():
					return
				}
			}
			_, _ = fmt.Fprintln(w, n)
		}
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	h.url = server.URL
	return h
}

func (h *heldFiles) release(t *testing.T, table string) {
	t.Helper()
	close(h.gate["/"+table])
}

// at is the address of a server for each service.
func at(t testing.TB, s *server) func(service string) string {
	return func(service string) string { return s.url(t, service) }
}

func startPostgres(t *testing.T, config localpg.Config) *localpg.Server {
	t.Helper()
	config.BinDir, config.Settings = os.Getenv("SLUICE_PGBIN"), map[string]string{"fsync": "off", "shared_buffers": "32MB"}
	s, err := localpg.Start(testenv.Context(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// warehouse makes the database, and returns its address.
func warehouse(t *testing.T, s *localpg.Server) string {
	t.Helper()
	ctx := testenv.Context(t)
	db, err := pgx.Connect(ctx, s.SocketURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(ctx) }()
	if _, err := db.Exec(ctx, "CREATE DATABASE warehouse"); err != nil {
		t.Fatal(err)
	}
	return s.SocketURL("warehouse")
}
