package testenv

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sluice/pkg/bus"
)

// Cluster is three NATS servers that keep three copies of all streams. It belongs to one test.
type Cluster struct {
	t       testing.TB
	servers [3]*server.Server
}

// StartCluster runs a cluster for the test.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	ports := freePorts(t, len(c.servers))
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	for n, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("nats-", n+1), Host: "127.0.0.1", Port: server.RANDOM_PORT,
			JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatalf("making a NATS server: %v", err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		c.servers[n] = s
	}
	return c
}

// Buses sets the streams and buckets up with three copies, and binds to them by way of each server.
func (c *Cluster) Buses(name string) [3]*bus.Bus {
	c.t.Helper()
	ctx := Context(c.t)
	var all [3]*bus.Bus
	for n, s := range c.servers {
		nc, err := bus.Connect(s.ClientURL(), name, nats.DontRandomize(), nats.IgnoreDiscoveredServers())
		if err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(nc.Close)
		if n == 0 {
			Eventually(ctx, c.t, "the cluster takes streams with three copies", func() error {
				trying, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				return bus.Setup(trying, nc, len(c.servers))
			})
		}
		if all[n], err = bus.Bind(ctx, nc); err != nil {
			c.t.Fatal(err)
		}
	}
	Eventually(ctx, c.t, "every copy answers direct gets", func() error {
		for _, stream := range []string{bus.EventsStream, "KV_" + bus.ControlBucket} {
			for _, s := range c.servers {
				subscribed, err := s.Subsz(&server.SubszOptions{Subscriptions: true, Test: "$JS.API.DIRECT.GET." + stream})
				if err != nil || subscribed.Total < len(c.servers) {
					return fmt.Errorf("%+v: %w", subscribed, err)
				}
			}
		}
		return nil
	})
	return all
}

// freePorts are ports that nobody listens on: servers of a cluster have to know each other's before they start.
func freePorts(t testing.TB, count int) []int {
	t.Helper()
	var free []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("looking for a free port: %v", err)
		}
		defer func() { _ = listener.Close() }()
		if addr, ok := listener.Addr().(*net.TCPAddr); ok {
			free = append(free, addr.Port)
		}
	}
	return free
}
