// Package api is Sluice's edge: it takes jobs in over HTTP, sees to it that they are on the queue before it says so, and
// passes questions on to status.
//
// The routes and the shapes of requests and answers are generated from openapi/openapi.yaml.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/pkg/bus"
	"sluice/pkg/seal"
	"sluice/services/api/openapi"
)

// Config tunes the service.
type Config struct {
	DrainTime time.Duration // how long requests under way may take at the end
	LocalOnly bool          // answer only requests to localhost or a loopback address
	Log       *slog.Logger
}

// DefaultConfig returns the settings for production.
func DefaultConfig() Config {
	return Config{DrainTime: 3 * time.Second, LocalOnly: true, Log: slog.Default()}
}

// Service is one replica of the API.
type Service struct {
	config Config
	bus    *bus.Bus
	sealer seal.Sealer
	now    func() time.Time
}

var _ openapi.StrictServerInterface = (*Service)(nil)

// New returns a replica that is not running yet.
func New(config Config, b *bus.Bus, sealer seal.Sealer) *Service {
	return &Service{config: config, bus: b, sealer: sealer, now: time.Now}
}

// Run serves on the listener, which it closes, until ctx ends or the listener fails.
func (s *Service) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("ending HTTP requests: %w", err), server.Close())
	}
	return nil
}

// Handler returns the API as an HTTP handler.
func (s *Service) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Binder = strictBinder{}
	e.HTTPErrorHandler = s.answerError
	s.routes(e)
	return e
}
