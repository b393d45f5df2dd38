package postgres

import (
	"context"
	"fmt"
)

// Vitals are what tells how a server is.
type Vitals struct {
	Version        string // such as 15.14
	Connections    int    // of clients, this one among them
	MaxConnections int    // that clients may have who are no superusers
}

// Vitals asks the server how it is.
func (db *Database) Vitals(ctx context.Context) (Vitals, error) {
	var v Vitals
	err := db.pool.QueryRow(ctx, `
		SELECT current_setting('server_version'),
			(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
			current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`).
		Scan(&v.Version, &v.Connections, &v.MaxConnections)
	if err != nil {
		return Vitals{}, fmt.Errorf("asking the database how it is: %w", failure(err))
	}
	return v, nil
}
