package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"sluice/internal/localpg"
	"sluice/pkg/events"
	"sluice/services/api/dataset"
	"sluice/services/ingester/postgres"
)

// databaseName is the database of a private Postgres.
const databaseName = "postgres"

// reachTime is how long a Postgres may take to answer that is said to run.
const reachTime = 20 * time.Second

// database is the Postgres to load into.
type database struct {
	shown   string // its URL for people
	url     string // its URL for the ingesters
	reader  string // its URL for the API, by a role that can only read; "" if there is none
	private *localpg.Server
}

// openDatabase names the Postgres that was asked for, or starts a private one.
func openDatabase(ctx context.Context, c Config, log *slog.Logger) (database, error) {
	if c.PostgresURL != "" {
		return database{shown: redacted(c.PostgresURL), url: c.PostgresURL, reader: c.ReaderURL}, nil
	}
	server, err := localpg.Start(ctx, localpg.Config{Dir: filepath.Join(c.DataDir, "postgres"), BinDir: c.PGBin, Log: log})
	if err != nil {
		return database{}, err
	}
	return database{
		shown: server.URL(databaseName), url: server.SocketURL(databaseName),
		reader: server.SocketURLAs(postgres.ReaderRole, databaseName), private: server,
	}, nil
}

// datasets makes the role that can only read, and returns what reads by it. In a private Postgres the role logs in. In another it is
// taken on by the role of the ingesters, unless the operator has named one; where that may not, the API goes without.
func (d database) datasets(ctx context.Context, by *postgres.Database, log *slog.Logger) (*dataset.Reader, error) {
	config := dataset.Config{URL: d.reader}
	if d.reader == "" {
		config = dataset.Config{URL: d.url, Role: postgres.ReaderRole}
	}
	err := by.MakeReader(ctx, postgres.ReaderLogin{Trusted: d.private != nil, Shared: config.Role != ""})
	switch failure, refused := errors.AsType[*events.Failure](err); {
	case refused && failure.Code == events.CodeNotPermitted && config.Role == "":
		log.Warn("the role of --reader-url was not let in here; grant it what it needs", "err", err)
	case refused && failure.Code == events.CodeNotPermitted:
		log.Warn("the API does not read datasets; name a role that can only read with --reader-url", "err", err)
		return nil, nil
	case err != nil:
		return nil, err
	}
	hidden, err := by.ShowDatasets(ctx)
	if err != nil {
		return nil, err
	}
	if len(hidden) > 0 {
		log.Warn("the API cannot read yet what others are changing; the ingesters let it, once that is done", "datasets", hidden)
	}
	reader, err := dataset.Open(config)
	if err != nil {
		return nil, fmt.Errorf("using the Postgres of --reader-url: %w", err)
	}
	return reader, nil
}

// ended is closed when a private Postgres has ended; it stays open for one that is not ours.
func (d database) ended() <-chan struct{} {
	if d.private == nil {
		return nil
	}
	return d.private.Done()
}

// connect opens the database for the ingesters, or says which one cannot be used, and why.
func (d database) connect(ctx context.Context, connections int) (*postgres.Database, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	opened, err := postgres.Connect(ctx, d.url, connections)
	var failure *events.Failure
	if errors.As(err, &failure) && failure.Unwrap() != nil { // kept from users of the API, but not from who runs this
		err = fmt.Errorf("%w: %w", err, failure.Unwrap())
	}
	if err != nil {
		return nil, fmt.Errorf("using Postgres at %s: %w", d.shown, err)
	}
	return opened, nil
}

// elsewhere says where the data of a private Postgres are if not in dir: its user may not be able to reach that.
func (d database) elsewhere(dir string) string {
	if d.private == nil || strings.HasPrefix(d.private.DataDir(), dir+string(filepath.Separator)) {
		return ""
	}
	return "  and, for Postgres, " + d.private.DataDir()
}

func (d database) stop(ctx context.Context) error {
	if d.private == nil {
		return nil
	}
	return d.private.Stop(ctx)
}
