// Package api is Sluice's edge: it takes jobs in over HTTP, sees to it that they are on the queue before it says so,
// passes questions on to status, and tells those who watch what happens.
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
	"sluice/services/api/access"
	"sluice/services/api/dataset"
	"sluice/services/api/openapi"
)

// Config tunes the service.
type Config struct {
	DrainTime   time.Duration   // how long requests under way may take at the end
	LocalOnly   bool            // answer only requests to localhost or a loopback address, unless they need keys
	RequireKeys bool            // answer only requests with a key, but for those that are for everybody
	Heartbeat   time.Duration   // how often a stream of events shows that it is alive
	UploadBytes int64           // how large an upload may be
	Datasets    *dataset.Reader // of what was loaded; nil: nobody has said where that is. Its owner closes it
	Log         *slog.Logger
}

// keys says whether keys are asked for.
func (c Config) keys() string {
	if c.RequireKeys {
		return "asked for"
	}
	return "not asked for"
}

// defaultUploadBytes is what a source may have that is read from elsewhere.
const defaultUploadBytes = 100 << 30

// DefaultConfig returns the settings for production.
func DefaultConfig() Config {
	return Config{
		DrainTime: 3 * time.Second, LocalOnly: true, Heartbeat: 15 * time.Second, UploadBytes: defaultUploadBytes, Log: slog.Default(),
	}
}

// Service is one replica of the API.
type Service struct {
	config Config
	bus    *bus.Bus
	sealer seal.Sealer
	now    func() time.Time
	feed   *feed
	intake *intake
	keys   *access.Keyring

	restTime time.Duration // that what is left of a refused body may take
}

var _ openapi.StrictServerInterface = (*Service)(nil)

// New returns a replica that is not running yet.
func New(config Config, b *bus.Bus, sealer seal.Sealer) *Service {
	return &Service{
		config: config, bus: b, sealer: sealer, now: time.Now, feed: newFeed(b, config.Log), intake: newIntake(), keys: access.NewKeyring(),
		restTime: restTime,
	}
}

// Ready is closed once the keys have been read, if they are asked for.
func (s *Service) Ready() <-chan struct{} {
	if s.config.RequireKeys {
		return s.keys.Read()
	}
	ready := make(chan struct{})
	close(ready)
	return ready
}

// Run serves on the listener, which it closes, until ctx ends or the listener fails. It runs once.
func (s *Service) Run(ctx context.Context, listener net.Listener) error {
	return s.serve(ctx, listener, s.server())
}

func (s *Service) server() *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // which gRPC needs
	return &http.Server{
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250, SendPingTimeout: 15 * time.Second},
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
}

func (s *Service) serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	feeding, endFeed := context.WithCancel(ctx)
	fed, failed := make(chan struct{}), make(chan error, 1)
	go func() { defer close(fed); s.feed.run(feeding) }()
	keyed := s.holdKeys(feeding)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	endFeed()
	<-fed // or else Shutdown would wait for streams, which do not end by themselves
	<-keyed
	if err != nil {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTime)
	defer cancel()
	endUploads := func() { s.intake.end(errEnding) }
	defer time.AfterFunc(s.config.DrainTime/2, endUploads).Stop() // early enough to clear away what is left of them
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("ending HTTP requests: %w", err), server.Close())
	}
	return nil
}

// holdKeys keeps the keys up to date until ctx ends, if they are asked for. What it returns is closed after that.
func (s *Service) holdKeys(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.config.RequireKeys {
			s.keys.Run(ctx, s.bus.Keys, s.config.Log)
		}
	}()
	return done
}

// Handler returns the API as an HTTP handler.
func (s *Service) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answerError
	s.routes(e)
	return e
}
