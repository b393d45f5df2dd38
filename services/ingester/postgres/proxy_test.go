package postgres_test

import (
	"bytes"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
)

// fault is what a proxy does to the first statement that it is meant for.
type fault struct {
	statement string
	forward   bool // it to the server
	freeze    bool // keep the connection, and pass on nothing that the client sends until the thaw; else cut it
}

var (
	cutBeforeCommit    = fault{statement: "commit"}
	cutAfterCommit     = fault{statement: "commit", forward: true} // the server has answered, the client does not hear it
	freezeBeforeCommit = fault{statement: "commit", freeze: true}
	freezeInCopy       = fault{statement: "COPY ", forward: true, freeze: true}
)

// proxy stands between a worker and the server.
type proxy struct {
	listener net.Listener
	network  string
	server   string
	armed    atomic.Pointer[fault]
	thawed   chan struct{}
}

// throughProxy returns a proxy and the database's URL that leads through it.
func throughProxy(t *testing.T, url string) (*proxy, string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(config.Port))
	p := &proxy{network: "tcp", server: net.JoinHostPort(config.Host, port), thawed: make(chan struct{})}
	if strings.HasPrefix(config.Host, "/") {
		p.network, p.server = "unix", filepath.Join(config.Host, ".s.PGSQL."+port)
	}
	p.listener, err = new(net.ListenConfig).Listen(testenv.Context(t), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.listener.Close() })
	go p.serve()
	_, port, _ = net.SplitHostPort(p.listener.Addr().String())
	return p, "host=127.0.0.1 port=" + port + " user=" + config.User + " password='" + config.Password + "' dbname=" +
		config.Database + " sslmode=disable"
}

func (p *proxy) arm(f fault) { p.armed.Store(&f) }

// thaw lets everything through that was held back. It is called once.
func (p *proxy) thaw() { close(p.thawed) }

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		link := &link{proxy: p, client: client, server: server, closed: make(chan struct{})}
		go link.toServer()
		go link.toClient()
	}
}

// link is one connection through a proxy.
type link struct {
	*proxy
	client, server net.Conn
	mute           atomic.Bool // the client is to hear no more
	once           sync.Once
	closed         chan struct{}
}

func (l *link) cut() {
	l.once.Do(func() {
		close(l.closed)
		_, _ = l.client.Close(), l.server.Close()
	})
}

func (l *link) toServer() {
	defer l.cut()
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.client.Read(buffer)
		if err != nil {
			return
		}
		data := buffer[:n]
		if f := l.armed.Load(); f != nil && isQuery(data, f.statement) && l.armed.CompareAndSwap(f, nil) {
			if data = l.strike(*f, data); data == nil {
				return
			}
		}
		if _, err := l.server.Write(data); err != nil {
			return
		}
	}
}

// strike brings the fault about and returns what is still to be sent to the server, or nil if the link is to be cut.
func (l *link) strike(f fault, data []byte) []byte {
	switch {
	case f.freeze:
		if f.forward {
			if _, err := l.server.Write(data); err != nil {
				return nil
			}
			data = data[len(data):]
		}
		select {
		case <-l.thawed:
		case <-l.closed:
		}
		return data
	case f.forward:
		l.mute.Store(true)
		return data
	}
	return nil
}

func (l *link) toClient() {
	defer l.cut()
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.server.Read(buffer)
		if err != nil || l.mute.Load() {
			return
		}
		if _, err := l.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// isQuery recognises a message of the simple query protocol (PostgreSQL manual, "Message Formats").
func isQuery(message []byte, statement string) bool {
	return len(message) > 5 && message[0] == 'Q' && bytes.HasPrefix(message[5:], []byte(statement))
}
