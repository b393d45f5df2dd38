package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Contents tell whether two tables hold the same rows, in whatever order.
type Contents struct {
	Rows int64
	Sum  string // of a hash of each row, whatever the types of its columns
}

// CreateTable makes a table of text columns.
func (s *Server) CreateTable(ctx context.Context, table string, columns []string) error {
	var definition []string
	for _, column := range columns {
		definition = append(definition, quoted(column)+" text")
	}
	_, err := s.session.Exec(ctx, "CREATE TABLE "+inPublic(table)+" ("+strings.Join(definition, ", ")+")")
	if err != nil {
		return fmt.Errorf("making table %s: %w", table, err)
	}
	return nil
}

// Contents reads the whole table.
func (s *Server) Contents(ctx context.Context, table string) (Contents, error) {
	var c Contents
	row := s.session.QueryRow(ctx, "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM "+inPublic(table)+" t")
	if err := row.Scan(&c.Rows, &c.Sum); err != nil {
		return Contents{}, fmt.Errorf("reading table %s: %w", table, err)
	}
	return c, nil
}

// Drop removes a table, if there is one.
func (s *Server) Drop(ctx context.Context, table string) error {
	if _, err := s.session.Exec(ctx, "DROP TABLE IF EXISTS "+inPublic(table)); err != nil {
		return fmt.Errorf("dropping table %s: %w", table, err)
	}
	return nil
}

// Checkpoint writes out what earlier work has left, so that what comes does not pay for it.
func (s *Server) Checkpoint(ctx context.Context) error {
	if _, err := s.session.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("making a checkpoint: %w", err)
	}
	return nil
}

// inPublic names a table in the schema that everybody looks into.
func inPublic(table string) string { return pgx.Identifier{"public", table}.Sanitize() }

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
