package deploy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// cluster is three NATS servers that run under nats-cluster.conf.
type cluster struct {
	servers map[string]*server // by name
	command map[string][]string
	env     map[string][]string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{map[string]*server{}, map[string][]string{}, map[string][]string{}}
	clients, routes := freePorts(t, 3), freePorts(t, 3)
	var addresses []string
	for _, port := range routes {
		addresses = append(addresses, strconv.Quote("nats://route:route-dev@127.0.0.1:"+port))
	}
	for n := range 3 {
		name := fmt.Sprint("nats-", n+1)
		c.env[name] = append(environment(t, "nats", nil), "SLUICE_NATS_NAME="+name, "SLUICE_NATS_ROUTE_PASSWORD=route-dev",
			"SLUICE_NATS_ROUTES=["+strings.Join(addresses, ", ")+"]")
		c.command[name] = []string{"--config", deployed("nats-cluster.conf"), "--store_dir", filepath.Join(testenv.Dir(t), name),
			"--addr", "127.0.0.1", "--port", clients[n], "--http_port", "-1", "--cluster", "nats://route:route-dev@127.0.0.1:" + routes[n]}
		c.servers[name] = &server{host: "127.0.0.1:" + clients[n]}
		c.run(t, name)
	}
	return c
}

// run starts a server, with what it had before if it was killed.
func (c *cluster) run(t *testing.T, name string) {
	t.Helper()
	program, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	c.servers[name].process = run(t, c.env[name], program, c.command[name]...)
}

// kill ends a server as a failing machine does.
func (c *cluster) kill(t *testing.T, name string) {
	t.Helper()
	if err := c.servers[name].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.servers[name].ended
}

// url is the addresses of all servers for a service.
func (c *cluster) url(t testing.TB) func(service string) string {
	return func(service string) string {
		var all []string
		for _, s := range c.servers {
			all = append(all, s.url(t, service))
		}
		return strings.Join(all, ",")
	}
}

// freePorts are ports that nobody listens on.
func freePorts(t testing.TB, count int) []string {
	t.Helper()
	var free []string
	for range count {
		listener, err := (&net.ListenConfig{}).Listen(testenv.Context(t), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		free = append(free, port)
	}
	return free
}

// streams is a connection for somebody who looks on.
func (c *cluster) streams(t *testing.T) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(c.url(t)("observer"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// leaderOf is the server that leads a stream, once all three copies of it are whole.
func leaderOf(t *testing.T, js jetstream.JetStream, stream string) string {
	t.Helper()
	leader := ""
	testenv.Eventually(testenv.Context(t), t, "all copies of "+stream+" are current", func() error {
		asking, cancel := context.WithTimeout(t.Context(), time.Second) // an answer may be lost with its server
		defer cancel()
		s, err := js.Stream(asking, stream)
		if err != nil {
			return err
		}
		info := s.CachedInfo().Cluster
		if info == nil || info.Leader == "" || len(info.Replicas) != 2 {
			return fmt.Errorf("its cluster is %+v", info)
		}
		for _, copied := range info.Replicas {
			if !copied.Current || copied.Offline {
				return fmt.Errorf("%s is behind", copied.Name)
			}
		}
		leader = info.Leader
		return nil
	})
	return leader
}

// TestCluster kills the server that leads the queue under load, and brings it back, and holds that each job that was
// answered with 202 is loaded once.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s, files := &site{natsURL: c.url(t), database: testenv.Database(t), replicas: 3}, newHeldFiles(t)
	js := c.streams(t)
	testenv.Eventually(testenv.Context(t), t, "the servers have found each other", func() error {
		asking, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.AccountInfo(asking)
		return err
	})
	s.setUp(t)
	s.start(t, "status", "status")
	s.start(t, "ingester", "ingester")
	s.start(t, "ingester", "ingester")
	s.open(t)

	accepted, refused := map[string]string{}, 0
	load := func() (last string) { // twenty jobs
		for range 20 {
			table := fmt.Sprint("t", len(accepted))
			testenv.Eventually(testenv.Context(t), t, "the job of "+table+" is accepted", func() error {
				j, status := s.api.submit(t, files.url+"/"+table, table)
				switch status {
				case http.StatusAccepted:
					accepted[table], last = j.ID, j.ID
					return nil
				case http.StatusServiceUnavailable: // to be tried again under the same key
					refused++
				default:
					t.Fatalf("answered with %d", status)
				}
				return fmt.Errorf("answered with %d", status)
			})
		}
		return last
	}
	victim := leaderOf(t, js, bus.JobsStream)
	load()
	c.kill(t, victim)
	s.api.awaitState(t, load(), "succeeded") // by the two that are left
	c.run(t, victim)
	load()
	for _, stream := range []string{bus.JobsStream, bus.EventsStream, "KV_" + bus.ControlBucket, "KV_" + bus.DocumentsBucket} {
		leaderOf(t, js, stream)
	}
	t.Logf("%d jobs were accepted, %d times it was 503", len(accepted), refused)
	want := numbersOfAll()
	for _, id := range accepted {
		s.api.awaitState(t, id, "succeeded")
	}
	tables := s.tables(t)
	for table := range accepted {
		if tables[table] != want {
			t.Errorf("table %s has %q", table, tables[table])
		}
	}
	if len(tables) != len(accepted) {
		t.Errorf("%d tables of %d jobs", len(tables), len(accepted))
	}
	s.stop(t)
	for name, server := range c.servers {
		if log := server.said.String(); strings.Contains(log, violation) {
			t.Errorf("users were refused something by %s:\n%s", name, log)
		}
	}
}
