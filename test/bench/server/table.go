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

// Rows reads a small table as texts: the names of its columns, and its rows in the order of the numbers in its first column.
// A table that is not there has neither. A key that the loader has added itself, ogc_fid, is left out.
func (s *Server) Rows(ctx context.Context, table string) (columns []string, rows [][]*string, err error) {
	var exists bool
	if err := s.session.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", inPublic(table)).Scan(&exists); err != nil || !exists {
		return nil, nil, err
	}
	found, err := s.session.Query(ctx, "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 "+
		"AND NOT attisdropped AND attname <> 'ogc_fid' ORDER BY attnum", inPublic(table))
	if err == nil {
		columns, err = pgx.CollectRows(found, pgx.RowTo[string])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the columns of table %s: %w", table, err)
	}
	texts := make([]string, len(columns))
	for i, column := range columns {
		texts[i] = quoted(column) + "::text"
	}
	found, err = s.session.Query(ctx, "SELECT ARRAY["+strings.Join(texts, ", ")+"] AS texts FROM "+inPublic(table)+
		" ORDER BY length("+texts[0]+"), "+texts[0])
	if err == nil {
		rows, err = pgx.CollectRows(found, pgx.RowTo[[]*string])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading table %s: %w", table, err)
	}
	return columns, rows, nil
}
