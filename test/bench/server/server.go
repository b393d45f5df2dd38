package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/localpg"
	"sluice/test/bench/proc"
)

const (
	database = "postgres"
	stopTime = time.Minute
	// ourName keeps the harness's own sessions apart from those that are measured.
	ourName = "bench"
)

// Setting is a setting of the server as it tells it itself.
type Setting struct{ Name, Value string }

// chosen are the settings that are not left alone. What makes commits durable is said although it is the default. There
// is enough WAL for every run to end before a checkpoint, and it is kept to be written again.
func chosen() map[string]string {
	return map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"shared_buffers": "512MB", "max_wal_size": "4GB", "min_wal_size": "2GB", "checkpoint_timeout": "30min",
		"autovacuum": "off",
	}
}

// told are the settings that the report states.
func told() []string {
	return []string{
		"fsync", "synchronous_commit", "full_page_writes", "wal_level", "data_checksums", "shared_buffers", "wal_buffers",
		"max_wal_size", "min_wal_size", "checkpoint_timeout", "autovacuum",
	}
}

// Server is a private Postgres and a session in it.
type Server struct {
	Version string // as the server tells it
	DataDir string
	Psql    string
	URL     string // on the unix socket, as `sluice up` reaches its own

	private *localpg.Server
	session *pgx.Conn
	pid     int // postmaster
}

// Start makes a cluster in dir and runs it.
func Start(ctx context.Context, install Install, dir string) (*Server, error) {
	private, err := localpg.Start(ctx, localpg.Config{Dir: dir, BinDir: install.Dir, Settings: chosen()})
	if err != nil {
		return nil, err
	}
	s := &Server{private: private, DataDir: private.DataDir(), Psql: install.Psql, URL: private.SocketURL(database)}
	if err := s.look(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// look learns what the server is.
func (s *Server) look(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(s.DataDir, "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("looking for the server's process: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if s.pid, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
		return fmt.Errorf("looking for the server's process: %w", err)
	}
	if s.session, err = s.connect(ctx); err != nil {
		return err
	}
	version, err := s.show(ctx, "server_version")
	s.Version, _, _ = strings.Cut(version, " ")
	return err
}

func (s *Server) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the server's URL: %w", err)
	}
	config.RuntimeParams["application_name"] = ourName
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	return conn, nil
}

func (s *Server) show(ctx context.Context, name string) (string, error) {
	var value string
	if err := s.session.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
		return "", fmt.Errorf("asking for the setting %s: %w", name, err)
	}
	return value, nil
}

// Settings are those that matter for the speed of loading.
func (s *Server) Settings(ctx context.Context) ([]Setting, error) {
	var settings []Setting
	for _, name := range told() {
		value, err := s.show(ctx, name)
		if err != nil {
			return nil, err
		}
		settings = append(settings, Setting{Name: name, Value: value})
	}
	return settings, nil
}

// CPU is the time that all of the server's processes have computed, those included that have ended.
func (s *Server) CPU() (time.Duration, error) { return proc.TreeCPU(s.pid) }

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if s.session != nil {
		_ = s.session.Close(ctx) // the server is about to end it anyway
	}
	return errors.Join(s.private.Stop(ctx), os.RemoveAll(filepath.Dir(s.DataDir)))
}
