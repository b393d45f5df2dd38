package testenv

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, and can come between them.
type Proxy struct {
	listener net.Listener
	network  string
	server   string

	mu     sync.Mutex
	closed bool
	links  map[net.Conn]struct{}
	faults []*fault
	link   Link
	hole   chan struct{} // closed when there is none any more; nil without one
}

// StartProxy forwards what it receives to a server, such as "tcp", "127.0.0.1:4222", until the end of the test.
func StartProxy(t testing.TB, network, server string) *Proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for a proxy: %v", err)
	}
	p := &Proxy{listener: l, network: network, server: server, links: make(map[net.Conn]struct{})}
	t.Cleanup(func() { _ = l.Close(); p.Cut(); p.Mend() })
	go p.accept()
	return p
}

// Addr is where the proxy listens, a host and a port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut ends all connections, and from then on each new one at once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.links {
		_ = c.Close()
	}
}

// Redirect sends new connections to a server that has moved.
func (p *Proxy) Redirect(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// Restore lets connections through again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(client)
	}
}

func (p *Proxy) connect(client net.Conn) {
	p.mu.Lock()
	network, address := p.network, p.server
	p.mu.Unlock()
	server, err := new(net.Dialer).Dial(network, address)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.add(client, server) {
		return
	}
	lost, budget := make(chan *fault, 1), p.budget()
	go p.toServer(client, server, lost, budget)
	go p.toClient(client, server, lost, budget)
}

func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.closed {
			_ = c.Close()
			continue
		}
		p.links[c] = struct{}{}
	}
	return !p.closed
}

func (p *Proxy) end(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(p.links, c)
	}
}
