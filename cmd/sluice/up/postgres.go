package up

import (
	"context"
	"log/slog"
	"path/filepath"

	"sluice/internal/localpg"
)

// databaseName is the database of a private Postgres.
const databaseName = "postgres"

// database is the Postgres to load into.
type database struct {
	shown   string // its URL for people
	url     string // its URL for the ingesters
	private *localpg.Server
}

// openDatabase names the Postgres that was asked for, or starts a private one.
func openDatabase(ctx context.Context, c Config, log *slog.Logger) (database, error) {
	if c.PostgresURL != "" {
		return database{shown: redacted(c.PostgresURL), url: c.PostgresURL}, nil
	}
	server, err := localpg.Start(ctx, localpg.Config{Dir: filepath.Join(c.DataDir, "postgres"), BinDir: c.PGBin, Log: log})
	if err != nil {
		return database{}, err
	}
	return database{shown: server.URL(databaseName), url: server.SocketURL(databaseName), private: server}, nil
}

// ended is closed when a private Postgres has ended; it stays open for one that is not ours.
func (d database) ended() <-chan struct{} {
	if d.private == nil {
		return nil
	}
	return d.private.Done()
}

func (d database) stop(ctx context.Context) error {
	if d.private == nil {
		return nil
	}
	return d.private.Stop(ctx)
}
