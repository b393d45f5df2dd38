// Package dataset reads what Sluice has loaded, for the API: which tables there are, their rows, and the rows that jobs have
// rejected. It only reads, through a database role that can do no more, and only tables that Sluice has loaded into.
//
// Names of tables and columns go into statements quoted, values only as parameters. Each answer is of one snapshot.
package dataset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connections = 8 // to Postgres, at most
	exports     = 6 // of which exports may have

	connectTime = 2 * time.Second // for a connection to be made, or shown to work
	acquireTime = 3 * time.Second // for one to be free
)

// Config says how the reader gets to Postgres.
type Config struct {
	URL string
	// Role is taken on by each connection. Empty: that which logs in.
	Role string
}

// Reader reads datasets. It connects when it is first needed. Its methods may be called from several goroutines; their errors are
// those of this package, of the context, or of no use to the caller.
type Reader struct {
	pool    *pgxpool.Pool
	exports chan struct{} // holds one for each
}

// settings are those of every connection: another role's rights would not let it write, and nothing is looked for by a search path.
var settings = map[string]string{
	"application_name":                    "sluice-api",
	"client_encoding":                     "UTF8",
	"default_transaction_read_only":       "on",
	"search_path":                         "",
	"statement_timeout":                   "30s",
	"lock_timeout":                        "2s",
	"idle_in_transaction_session_timeout": "60s",
	"tcp_keepalives_idle":                 "15",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "4",
	"tcp_user_timeout":                    "35s",
	// Rows come in the order in which they lie, and the first at once.
	"jit":                             "off",
	"max_parallel_workers_per_gather": "0",
	"synchronize_seqscans":            "off",
	// Values look the same on every server.
	"timezone":           "UTC",
	"datestyle":          "ISO, MDY",
	"intervalstyle":      "postgres",
	"bytea_output":       "hex",
	"extra_float_digits": "1",
}

// Open returns a reader that is not connected yet. It fails only if the URL cannot be read.
func Open(c Config) (*Reader, error) {
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the database's URL: %w", err) // pgx leaves the password out
	}
	config.MaxConns, config.MinConns = connections, 0
	config.MaxConnIdleTime, config.PingTimeout = time.Minute, connectTime
	config.ConnConfig.ConnectTimeout = connectTime
	// Unnamed statements, planned for their values; all results as text.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity, config.ConnConfig.DescriptionCacheCapacity = 0, 0
	maps.Copy(config.ConnConfig.RuntimeParams, settings)
	if c.Role != "" {
		config.ConnConfig.RuntimeParams["role"] = c.Role
	}
	// A query that nobody waits for any more ends on the server, too.
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: connectTime}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return &Reader{pool: pool, exports: make(chan struct{}, exports)}, nil
}

// Close ends all connections, once what is being read is.
func (r *Reader) Close() { r.pool.Close() }

// read runs a transaction that sees one snapshot and cannot write. Its first statements are those of settings.
func (r *Reader) read(ctx context.Context, settings string, do func(tx pgx.Tx) error) error {
	conn, err := r.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: "begin isolation level repeatable read, read only; " + settings})
	if err != nil {
		return fmt.Errorf("beginning to read: %w", failure(ctx, err))
	}
	defer func() {
		final, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTime)
		defer cancel()
		if ctx.Err() != nil { // the server may yet cancel whatever comes next on this connection
			_ = conn.Conn().Close(final)
			return
		}
		_ = tx.Rollback(final) // or else the driver closes the connection, which ends it too
	}()
	return do(tx)
}

func (r *Reader) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	soon, cancel := context.WithTimeout(ctx, acquireTime)
	defer cancel()
	conn, err := r.pool.Acquire(soon)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) && r.pool.Stat().AcquiredConns() == connections:
		return nil, ErrBusy
	}
	return nil, fmt.Errorf("connecting: %w", errors.Join(ErrUnavailable, err))
}
