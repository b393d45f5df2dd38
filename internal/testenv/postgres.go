package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/localpg"
)

// cluster is the one Postgres of a test process. It ends with the process, in whatever way that ends.
var cluster struct {
	once   sync.Once
	server *localpg.Server
	err    error
	last   atomic.Int64 // database
}

// Main runs a package's tests and then ends the Postgres that they may have started. Packages that use [Database] call
// it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	Close()
	os.Exit(code) //nolint:forbidigo // this is the end of a TestMain
}

// Close ends the Postgres that tests may have started, for a TestMain of its own kind.
func Close() {
	if cluster.server == nil {
		return
	}
	if err := cluster.server.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "stopping Postgres:", err)
	}
	_ = os.RemoveAll(filepath.Dir(cluster.server.DataDir()))
}

// Database returns the URL of a fresh, empty database for one test: on the server of SLUICE_TEST_DATABASE_URL if that
// is set, else on a private one.
func Database(t testing.TB) string {
	t.Helper()
	ctx := Context(t)
	admin, err := adminURL(ctx)
	if err != nil {
		t.Fatalf("starting Postgres for tests: %v", err)
	}
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatalf("connecting to Postgres: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	name := "test_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(cluster.last.Add(1), 10)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() { dropDatabase(admin, name) })
	config, err := pgx.ParseConfig(admin)
	if err != nil {
		t.Fatalf("reading the server's URL: %v", err)
	}
	return "host='" + config.Host + "' port=" + strconv.Itoa(int(config.Port)) + " user=" + config.User +
		" password='" + config.Password + "' dbname=" + name + " sslmode=prefer"
}

// dropDatabase may fail without harm: the private server is thrown away.
func dropDatabase(admin, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func adminURL(ctx context.Context) (string, error) {
	if url := os.Getenv("SLUICE_TEST_DATABASE_URL"); url != "" {
		return url, nil
	}
	cluster.once.Do(func() { cluster.server, cluster.err = startCluster(ctx) })
	if cluster.err != nil {
		return "", cluster.err
	}
	return cluster.server.SocketURL("postgres"), nil
}

// startCluster runs a throw-away server.
func startCluster(ctx context.Context) (*localpg.Server, error) {
	dir, err := os.MkdirTemp("", "sluice-test-pg-")
	if err != nil {
		return nil, fmt.Errorf("making a place for Postgres: %w", err)
	}
	return StartPostgres(ctx, dir, nil)
}
