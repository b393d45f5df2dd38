package testenv

import (
	"bytes"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"
)

// Link is what the way through a [Proxy] is like. The zero value is that of a loopback.
type Link struct {
	Latency        time.Duration // each way
	BytesPerSecond int           // each way of each connection; 0: any number
	CutAfter       int           // bytes that a connection carries on average before it is cut; 0: it is not
	Random         *rand.Rand    // decides when, for this proxy alone; needed with CutAfter
}

// piecesAhead is how many pieces may be under way in one direction.
const piecesAhead = 64

// piece is what was read at once, and when it is to arrive.
type piece struct {
	data []byte
	due  time.Time
}

// budget is what a connection may still carry before it is cut, both ways together.
type budget struct{ bytes atomic.Int64 }

// Change makes the link another one, for what is sent from now on.
func (p *Proxy) Change(to Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link = to
}

// Hole swallows what is sent, without ending any connection, until [Proxy.Mend] brings it all to its end.
func (p *Proxy) Hole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hole == nil {
		p.hole = make(chan struct{})
	}
}

// Mend ends a hole.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hole != nil {
		close(p.hole)
		p.hole = nil
	}
}

func (p *Proxy) budget() *budget {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link.CutAfter == 0 {
		return nil
	}
	b := new(budget)
	b.bytes.Store(int64(p.link.Random.ExpFloat64() * float64(p.link.CutAfter)))
	return b
}

// spent takes n bytes from the budget and reports whether there are no more.
func (b *budget) spent(n int) bool { return b != nil && b.bytes.Add(-int64(n)) < 0 }

func (p *Proxy) piece(data []byte) piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	return piece{bytes.Clone(data), time.Now().Add(p.link.Latency)}
}

// carry brings what it is given to one end of a connection, and ends the connection after the last piece, or when it is cut.
func (p *Proxy) carry(client, server, to net.Conn, budget *budget) chan<- piece {
	pieces := make(chan piece, piecesAhead)
	go func() {
		broken := false
		for next := range pieces { // to the end, so that the reader never waits for ever
			if broken {
				continue
			}
			<-time.After(time.Until(next.due))
			p.awaitMend()
			p.throttle(len(next.data))
			_, err := to.Write(next.data)
			if broken = err != nil || budget.spent(len(next.data)); broken {
				p.end(client, server)
			}
		}
		p.end(client, server)
	}()
	return pieces
}

func (p *Proxy) awaitMend() {
	p.mu.Lock()
	hole := p.hole
	p.mu.Unlock()
	if hole != nil {
		<-hole
	}
}

func (p *Proxy) throttle(n int) {
	p.mu.Lock()
	rate := p.link.BytesPerSecond
	p.mu.Unlock()
	if rate > 0 {
		<-time.After(time.Duration(n) * time.Second / time.Duration(rate))
	}
}
