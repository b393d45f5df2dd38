package testenv

import (
	"bytes"
	"net"
	"slices"
)

// fault strikes once, the first connection on which the client sends what it looks for.
type fault struct {
	pattern []byte
	forward bool            // it to the server, whose answer is then lost
	resume  <-chan struct{} // until when to hold it back; nil to cut the connection
	struck  chan struct{}
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

// Disarm forgets what was to be cut or held and has not been.
func (p *Proxy) Disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

func (p *Proxy) arm(f *fault) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.struck = make(chan struct{})
	p.faults = append(p.faults, f)
	return f.struck
}

func (p *Proxy) toServer(client, server net.Conn, lost chan<- *fault, budget *budget) {
	sent := p.carry(client, server, server, budget)
	defer close(sent)
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
		sent <- p.piece(buf[:n])
		if err != nil {
			return
		}
	}
}

func (p *Proxy) toClient(client, server net.Conn, lost <-chan *fault, budget *budget) {
	sent := p.carry(client, server, client, budget)
	defer close(sent)
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
		sent <- p.piece(buf[:n])
		if err != nil {
			return
		}
	}
}

func (p *Proxy) strikes(sent []byte) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, f := range p.faults {
		if bytes.Contains(sent, f.pattern) {
			p.faults = slices.Delete(p.faults, n, n+1)
			return f
		}
	}
	return nil
}
