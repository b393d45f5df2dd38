// Package postgres makes records into a table, once and all at once.
//
// A job's rows are copied in batches into a staging table that nobody lists. Each batch commits together with its row in
// the ledger, and only if the worker's fence still holds; one last transaction makes the staging table the dataset. The
// ledger, schema sluice, therefore always knows what is committed and how a job ended, whatever happens to workers,
// messages and connections.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Database is a pool of connections to the Postgres that holds both the ledger and the datasets.
type Database struct {
	pool    *pgxpool.Pool
	asking  *pgxpool.Pool // of what a load asks while it holds connections of the other pool, for which it must not wait
	version int           // of the server, such as 150004
	buffers buffers
}

const (
	// UsualConnections bounds what [Database.Connections] returns: each takes the memory of a batch.
	UsualConnections = 3
	// MaxConnections bounds what a load may be told to use.
	MaxConnections = 16
	// askingConnections are opened when values have to be asked about.
	askingConnections = 2
)

// versionBulkExtend is the first version of Postgres that extends a table by many pages under one lock.
const versionBulkExtend = 160000

// settings are those of every connection on which correctness rests; the server, a database and a role may have other
// defaults.
var settings = map[string]string{
	"application_name":              "sluice",
	"client_encoding":               "UTF8",
	"default_transaction_isolation": "read committed", // a fence must be read as it is, not as it was
	"synchronous_commit":            "on",             // of a raised fence and of an outcome
	// A worker whose machine is gone, or cut off, is noticed by the server, which then lets go of its locks.
	"tcp_keepalives_idle":     "15",
	"tcp_keepalives_interval": "5",
	"tcp_keepalives_count":    "4",
	"tcp_user_timeout":        "35s",
}

// Connect opens a pool of at most maxConns connections and proves that one of them works.
func Connect(ctx context.Context, url string, maxConns int) (*Database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database's URL: %w", err) // pgx leaves the password out
	}
	config.MaxConns = int32(min(max(maxConns, 2), 1000))
	maps.Copy(config.ConnConfig.RuntimeParams, settings)
	config.ConnConfig.DialFunc = dialer().DialContext
	// Backends end under idle connections: at a restart of the server, and when an opener ends those of an earlier worker.
	// To be told so by the first statement would look like an outage.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	config = config.Copy()
	config.MaxConns = askingConnections
	asking, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	db := &Database{pool: pool, asking: asking}
	err = pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&db.version)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("reaching the database: %w", failure(err))
	}
	return db, nil
}

// Open connects to a database that is ready to be loaded into. It fails with [ErrNotMigrated] where the set-up is missing.
func Open(ctx context.Context, url string, maxConns int) (*Database, error) {
	db, err := Connect(ctx, url, maxConns)
	if err != nil {
		return nil, err
	}
	if err := db.Migrated(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// PoolSize is how many connections a process is to have at most that works on so many jobs at once, each of them over so
// many connections, or the usual number. A server has a hundred for all its clients by default; jobs that find none free
// wait for one.
func PoolSize(jobs, connections int) int {
	const share = 64
	wanted := jobs * (max(connections, UsualConnections) + 1)
	return max(min(wanted, share), jobs) + 2
}

// Connections is how many connections at once load a file fastest into this server, if it has as many processors as this
// machine. A backend is busy parsing rows, and one more than there are processors hides the pauses between batches; but
// before version 16 the backends wait for each other whenever they extend the table.
func (db *Database) Connections() int {
	if db.version < versionBulkExtend {
		return 2
	}
	return min(runtime.NumCPU()+1, UsualConnections)
}

// Ping reports whether the database answers.
func (db *Database) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return fmt.Errorf("reaching the database: %w", failure(err))
	}
	return nil
}

// Close ends all connections.
func (db *Database) Close() {
	db.asking.Close()
	db.pool.Close()
}

// Migrate brings schema sluice to the version that this package needs. It may be run at any time, by any number of
// processes.
func (db *Database) Migrate(ctx context.Context) error {
	if err := db.createSchema(ctx); err != nil {
		return fmt.Errorf("creating schema sluice: %w", failure(err))
	}
	std := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = std.Close() }()
	provider, err := newMigrator(std)
	if err != nil {
		return fmt.Errorf("preparing the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating schema sluice: %w", err)
	}
	if err := db.adoptDatasets(ctx); err != nil {
		return err
	}
	if _, err := db.RecordDatasets(ctx, time.Time{}); err != nil { // what is being published at this moment, the ingesters record
		return err
	}
	return db.hideSchema(ctx)
}

// hideSchema sees to it that a role which is called like the schema, and so would look into it first, does not find the ledger
// where its user means tables of their own.
func (db *Database) hideSchema(ctx context.Context) error {
	var hide bool
	err := db.pool.QueryRow(ctx, `SELECT current_user = 'sluice' AND 'sluice' = ANY (current_schemas(false))`).Scan(&hide)
	if err != nil {
		return fmt.Errorf("looking at the search path: %w", failure(err))
	}
	if !hide {
		return nil
	}
	if _, err := db.pool.Exec(ctx, `DO $$ BEGIN
		PERFORM pg_advisory_xact_lock(hashtextextended('sluice:search_path', 0)); -- for who does the same
		EXECUTE format('ALTER ROLE sluice IN DATABASE %I SET search_path = public', current_database()); END $$`); err != nil {
		return fmt.Errorf("setting the search path of role sluice: %w", failure(err))
	}
	return nil
}

// Migrated fails with [ErrNotMigrated] if schema sluice is missing or older than this package needs.
func (db *Database) Migrated(ctx context.Context) error {
	std := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = std.Close() }()
	provider, err := newMigrator(std)
	if err != nil {
		return fmt.Errorf("preparing the migrations: %w", err)
	}
	var exists bool
	if err := db.pool.QueryRow(ctx, "SELECT to_regclass('sluice.migrations') IS NOT NULL").Scan(&exists); err != nil {
		return fmt.Errorf("looking for schema sluice: %w", failure(err))
	}
	if !exists {
		return ErrNotMigrated
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("looking at the version of schema sluice: %w", failure(err))
	}
	if pending {
		return ErrNotMigrated
	}
	return nil
}

func newMigrator(std *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // each second, for five minutes
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, std, files,
		goose.WithTableName("sluice.migrations"), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}

// createSchema asks first, so that a role without the right to create schemas may use one that was made for it.
func (db *Database) createSchema(ctx context.Context) error {
	var exists bool
	err := db.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'sluice')").Scan(&exists)
	if err != nil || exists {
		return err
	}
	if _, err := db.pool.Exec(ctx, "CREATE SCHEMA sluice"); err != nil && !isConcurrentCreate(err) {
		return err
	}
	return nil
}
