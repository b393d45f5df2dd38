package testenv

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Names is a name server that tells of each host what it is told to, for as long as no time at all.
type Names struct {
	address string

	mu    sync.Mutex
	known map[question][][]string
	asked []string
}

// question is what a resolver asks: a name, and for which kind of address.
type question struct {
	name string // lower case, no final dot
	kind uint16
}

// Kinds of records (RFC 1035, section 3.2.2, and RFC 3596).
const (
	kindA     = 1
	kindCNAME = 5
	kindAAAA  = 28
)

// StartNames serves names until the end of the test.
func StartNames(t testing.TB) *Names {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for a name server: %v", err)
	}
	n := &Names{address: conn.LocalAddr().String(), known: make(map[question][][]string)}
	t.Cleanup(func() { _ = conn.Close() })
	go n.serve(conn)
	return n
}

// Tell says how questions for a host are answered from now on, one after the other; the last answer is given again and
// again. An answer is a list of addresses, and of hosts that the host is another name of. Other hosts do not exist.
func (n *Names) Tell(host string, answers ...[]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, kind := range []uint16{kindA, kindAAAA} {
		n.known[question{host, kind}] = answers
	}
}

// Asked returns the hosts that were asked for, in order, each once for each kind of address.
func (n *Names) Asked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

// Resolver asks this server alone.
func (n *Names) Resolver() *net.Resolver {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.address)
	}
	return &net.Resolver{PreferGo: true, Dial: dial}
}

func (n *Names) serve(conn net.PacketConn) {
	query := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(query)
		if err != nil {
			return
		}
		_, _ = conn.WriteTo(n.reply(query[:size]), from)
	}
}

// reply answers a query of one question (RFC 1035, section 4). Resolvers in tests send no other.
func (n *Names) reply(query []byte) []byte {
	const header, final = 12, 5 // bytes: of the header, and of the root label, kind and class behind a name
	end := header
	var labels []string
	for query[end] != 0 {
		next := end + 1 + int(query[end])
		labels = append(labels, string(query[end+1:next]))
		end = next
	}
	end += final
	q := question{strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(query[end-4:])}
	records, found := n.lookUp(q)
	reply := append([]byte{}, query[:end]...)
	binary.BigEndian.PutUint16(reply[2:], 0x8180) // an answer, from a server that asks others
	clear(reply[6:header])
	if !found {
		reply[3] |= 3 // no such name
	}
	binary.BigEndian.PutUint16(reply[6:], uint16(len(records))) //nolint:gosec // they fit into a packet
	for _, r := range records {
		reply = append(reply, r...)
	}
	return reply
}

// lookUp returns the records that answer a question.
func (n *Names) lookUp(q question) (records [][]byte, found bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, q.name)
	for owner := q.name; owner != ""; {
		answers := n.known[question{owner, q.kind}]
		if len(answers) == 0 {
			return records, found
		}
		if len(answers) > 1 {
			n.known[question{owner, q.kind}] = answers[1:]
		}
		found = true
		var other string
		for _, text := range answers[0] {
			ip, err := netip.ParseAddr(text)
			switch {
			case err != nil:
				other = text
				records = append(records, record(owner, kindCNAME, encodeName(text)))
			case ip.Is4() == (q.kind == kindA):
				records = append(records, record(owner, q.kind, ip.AsSlice()))
			}
		}
		owner = other
	}
	return records, found
}

// record is one that must not be kept: its time to live is 0.
func record(owner string, kind uint16, data []byte) []byte {
	const internet = 1
	r := binary.BigEndian.AppendUint16(encodeName(owner), kind)
	r = binary.BigEndian.AppendUint16(r, internet)
	r = binary.BigEndian.AppendUint32(r, 0)
	r = binary.BigEndian.AppendUint16(r, uint16(len(data))) //nolint:gosec // an address or a name
	return append(r, data...)
}

func encodeName(name string) []byte {
	var encoded []byte
	for label := range strings.SplitSeq(name, ".") {
		encoded = append(encoded, byte(len(label))) //nolint:gosec // at most 63
		encoded = append(encoded, label...)
	}
	return append(encoded, 0)
}
