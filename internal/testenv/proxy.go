package testenv

import (
	"bytes"
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
	fault  *fault
}

// fault strikes the first connection on which the client sends what it looks for.
type fault struct {
	pattern []byte
	forward bool            // it to the server, whose answer is then lost
	resume  <-chan struct{} // until when to hold it back; nil to cut the connection
	struck  chan struct{}
}

// StartProxy forwards what it receives to a server, such as "tcp", "127.0.0.1:4222", until the end of the test.
func StartProxy(t testing.TB, network, server string) *Proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for a proxy: %v", err)
	}
	p := &Proxy{listener: l, network: network, server: server, links: make(map[net.Conn]struct{})}
	t.Cleanup(func() { _ = l.Close(); p.Cut() })
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

// Restore lets connections through again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
}

// CutAt ends the next connection on which the client sends pattern in one piece: before the server gets to see that
// piece, or, with forward, when the server has answered it and before the client gets to see the answer. The returned
// channel is closed then.
func (p *Proxy) CutAt(pattern string, forward bool) <-chan struct{} {
	return p.arm(&fault{pattern: []byte(pattern), forward: forward})
}

// HoldAt holds back what the client sends on a connection, from the piece with pattern in it on, until resume is closed.
// The returned channel is closed when it begins to.
func (p *Proxy) HoldAt(pattern string, resume <-chan struct{}) <-chan struct{} {
	return p.arm(&fault{pattern: []byte(pattern), resume: resume})
}

func (p *Proxy) arm(f *fault) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.struck = make(chan struct{})
	p.fault = f
	return f.struck
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).Dial(p.network, p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !p.add(client, server) {
			continue
		}
		lost := make(chan *fault, 1)
		go p.toServer(client, server, lost)
		go p.toClient(client, server, lost)
	}
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

func (p *Proxy) toServer(client, server net.Conn, lost chan<- *fault) {
	defer p.end(client, server)
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		switch f := p.strikes(buf[:n]); {
		case f == nil:
		case f.resume != nil:
			close(f.struck)
			<-f.resume
		case f.forward:
			lost <- f
		default:
			p.end(client, server)
			close(f.struck)
			return
		}
		if _, werr := server.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *Proxy) toClient(client, server net.Conn, lost <-chan *fault) {
	defer p.end(client, server)
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		select {
		case f := <-lost:
			p.end(client, server)
			close(f.struck)
			return
		default:
		}
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *Proxy) strikes(sent []byte) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	if f == nil || !bytes.Contains(sent, f.pattern) {
		return nil
	}
	p.fault = nil
	return f
}
