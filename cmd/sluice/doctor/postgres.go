package doctor

import (
	"context"

	"sluice/services/ingester/postgres"
)

// fewConnections is how many free ones an ingester may not find enough.
const fewConnections = 10

func checkPostgres(ctx context.Context, p Patient) []Check {
	if p.PostgresURL == "" {
		return skipped("none is named: --postgres-url, or SLUICE_POSTGRES_URL", "Postgres")
	}
	db, err := postgres.Connect(ctx, p.PostgresURL, 2)
	if err != nil {
		return []Check{failed("Postgres", err, "see that it runs, and that --postgres-url is right")}
	}
	defer db.Close()
	v, err := db.Vitals(ctx)
	if err != nil {
		return []Check{failed("Postgres", err, "see the log of Postgres")}
	}
	connections := well("Postgres: connections", "%d of %d in use", v.Connections, v.MaxConnections)
	switch free := v.MaxConnections - v.Connections; {
	case free <= 0:
		connections = connections.failing("raise max_connections, or end what holds them")
	case free < fewConnections:
		connections = connections.warned("raise max_connections, or run fewer ingesters")
	}
	schema := well("Postgres: schema", "as this version needs it")
	if err := db.Migrated(ctx); err != nil {
		schema = failed("Postgres: schema", err, "run sluice setup")
	}
	return []Check{well("Postgres", "answers, version %s", v.Version), connections, schema}
}
