package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTime bounds a readiness check.
const readyTime = 2 * time.Second

// Ops answers those who operate a process: /healthz as long as it lives, /readyz while Ready returns nil, and /metrics
// in the format of Prometheus.
type Ops struct {
	Addr  string // host:port; port 0 stands for a free one, which is logged
	Ready func(context.Context) error
	Log   *slog.Logger
}

// Run answers until ctx ends.
func (o Ops) Run(ctx context.Context) error {
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("listening for operators on %s (SLUICE_OPS_ADDR): %w", o.Addr, err)
	}
	o.Log.Info("health and metrics", "addr", listener.Addr().String())
	server := &http.Server{Handler: o.handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering operators: %w", err)
	}
	return nil
}

func (o Ops) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		o.answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := o.Ready(ctx); err != nil {
			o.answer(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": err.Error()})
			return
		}
		o.answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.Handle("GET /metrics", promhttp.Handler())
	return mux
}

func (o Ops) answer(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		o.Log.Debug("answer not sent", "err", err)
	}
}
