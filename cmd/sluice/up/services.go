package up

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/pkg/bus"
	"sluice/services/api"
	"sluice/services/api/dataset"
	"sluice/services/ingester"
	"sluice/services/ingester/postgres"
	"sluice/services/status"
)

// drainTime bounds how long the services take to end.
const drainTime = 3500 * time.Millisecond

// services are the three services, each with a connection of its own, as if they were processes.
type services struct {
	servers   *servers
	buses     []*bus.Bus
	database  *postgres.Database
	datasets  *dataset.Reader // nil if there is no role that can only read
	api       *api.Service
	status    *status.Service
	ingesters []*ingester.Service
}

// open wires the services.
func (s *servers) open(ctx context.Context, c Config, log *slog.Logger) (all *services, err error) {
	all = &services{servers: s}
	defer func() {
		if err != nil {
			all.close()
		}
	}()
	all.database, err = s.database.connect(ctx, postgres.PoolSize(c.Ingesters*c.Slots, 0))
	if err != nil {
		return all, err
	}
	if err := all.database.Migrate(ctx); err != nil {
		return all, err
	}
	apiBus, err := all.connect(ctx, "api")
	if err != nil {
		return all, err
	}
	apiConfig := api.DefaultConfig()
	apiConfig.Log, apiConfig.DrainTime, apiConfig.UploadBytes = log.With("service", "api"), drainTime, c.UploadBytes
	if apiConfig.RequireKeys, err = c.asksForKeys(); err != nil {
		return all, err
	}
	apiConfig.LocalOnly = api.Loopback(c.APIAddr)
	if all.datasets, err = s.database.datasets(ctx, all.database, apiConfig.Log); err != nil {
		return all, err
	}
	apiConfig.Datasets = all.datasets
	all.api = api.New(apiConfig, apiBus, s.sealer)

	statusBus, err := all.connect(ctx, "status")
	if err != nil {
		return all, err
	}
	statusConfig := status.DefaultConfig()
	statusConfig.Log = log.With("service", "status")
	if all.status, err = status.New(statusConfig, statusBus); err != nil {
		return all, err
	}
	return all, all.openIngesters(ctx, c, log)
}

func (all *services) openIngesters(ctx context.Context, c Config, log *slog.Logger) error {
	for n := range c.Ingesters {
		b, err := all.connect(ctx, "ingester")
		if err != nil {
			return err
		}
		opener, err := c.opener(ingester.Uploads{Store: b.Uploads})
		if err != nil {
			return err
		}
		worker := "up-" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(n+1)
		config := ingester.DefaultConfig(worker)
		config.Slots, config.DrainTime = c.Slots, drainTime
		c.Sources.Apply(&config)
		config.Log = log.With("service", "ingester", "worker", worker)
		one, err := ingester.New(config, ingester.Parts{Bus: b, Database: all.database, Source: opener, Sealer: all.servers.sealer})
		if err != nil {
			return err
		}
		all.ingesters = append(all.ingesters, one)
	}
	return nil
}

func (all *services) connect(ctx context.Context, name string) (*bus.Bus, error) {
	b, err := openBus(ctx, all.servers.nats, name)
	if err == nil {
		all.buses = append(all.buses, b)
	}
	return b, err
}

// run runs each service in the group.
func (all *services) run(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return all.api.Run(ctx, all.servers.api) })
	group.Go(func() error { return all.status.Run(ctx) })
	for _, one := range all.ingesters {
		group.Go(func() error { return one.Run(ctx) })
	}
}

// ready waits until all of them are at work, or ctx ends.
func (all *services) ready(ctx context.Context) bool {
	waits := []<-chan struct{}{all.api.Ready(), all.status.Ready()}
	for _, one := range all.ingesters {
		waits = append(waits, one.Ready())
	}
	for _, wait := range waits {
		select {
		case <-wait:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (all *services) close() {
	for _, b := range all.buses {
		b.Conn.Close()
	}
	if all.datasets != nil {
		all.datasets.Close()
	}
	if all.database != nil {
		all.database.Close()
	}
}
