package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// errForbidden marks the address of a connection that was not even tried.
var errForbidden = errors.New("address not allowed")

// dialer connects to addresses that its guard lets through.
type dialer struct {
	guard    *guard
	timeout  time.Duration
	resolver *net.Resolver // nil for the system's
}

// dial checks every address that it tries after the name was resolved, so that no answer of a name server gets past.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: d.timeout, Resolver: d.resolver}
	if !d.guard.trustsHost(address) {
		nd.Control = d.guard.check
	}
	return nd.DialContext(ctx, network, address)
}

// guard tells addresses that are open to jobs from those of the network that Sluice itself lives in.
type guard struct {
	public   *ssrf.Guardian
	prefixes []openPrefix
	hosts    []openHost
}

type openPrefix struct {
	netip.Prefix
	port uint16 // 0 for all
}

type openHost struct {
	name string // lower case, no final dot
	port uint16 // 0 for all
}

func newGuard(allow []string) (*guard, error) {
	azureHost := netip.MustParsePrefix("168.63.129.16/32") // public by its number, yet the machine's own host agent
	g := &guard{public: ssrf.New(ssrf.WithDeniedV4Prefixes(azureHost))}
	for _, entry := range allow {
		if err := g.open(strings.TrimSpace(entry)); err != nil {
			return nil, fmt.Errorf("allowed address %q %w", entry, err)
		}
	}
	return g, nil
}

// open reads one entry of the allow-list.
func (g *guard) open(entry string) error {
	if strings.Contains(entry, "/") {
		prefix, err := netip.ParsePrefix(entry)
		if err != nil || prefix.Addr().Is4In6() {
			return errors.New("is not a CIDR such as 10.0.0.0/8")
		}
		g.prefixes = append(g.prefixes, openPrefix{Prefix: prefix.Masked()})
		return nil
	}
	host, port := strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"), uint16(0)
	if _, err := netip.ParseAddr(host); err != nil && strings.Contains(entry, ":") {
		h, p, err := net.SplitHostPort(entry)
		n, errPort := strconv.ParseUint(p, 10, 16)
		if err != nil || errPort != nil || n == 0 {
			return errors.New("has no port from 1 to 65535 after its colon")
		}
		host, port = h, uint16(n)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		g.prefixes = append(g.prefixes, openPrefix{netip.PrefixFrom(ip, ip.BitLen()), port})
		return nil
	}
	name := hostName(host)
	if !isHostName(name) {
		return errors.New("is none of CIDR, address, host, host:port (international names in their xn-- form)")
	}
	g.hosts = append(g.hosts, openHost{name, port})
	return nil
}

func hostName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// isHostName accepts what name servers do, except a last label of digits, which is a mistyped address.
func isHostName(name string) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return strings.Trim(last, "0123456789") != "" && !strings.ContainsFunc(name, odd)
}

// trustsHost reports whether address, a host:port as it stands in the URL, is open whatever it resolves to.
func (g *guard) trustsHost(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	for _, open := range g.hosts {
		if open.name == hostName(host) && (open.port == 0 || strconv.Itoa(int(open.port)) == port) {
			return true
		}
	}
	return false
}

// check is a [net.Dialer]'s Control: it sees the numeric address right before it is connected to.
func (g *guard) check(network, address string, conn syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	ip := at.Addr().Unmap().WithZone("")
	for _, open := range g.prefixes {
		if open.Contains(ip) && (open.port == 0 || open.port == at.Port()) {
			return nil
		}
	}
	if err := g.public.Safe(network, address, conn); err != nil {
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	if isISATAP(ip) {
		return fmt.Errorf("%w: it stands for an IPv4 address", errForbidden)
	}
	return nil
}

// isISATAP reports whether ip holds an IPv4 address to which an ISATAP interface would tunnel (RFC 5214, section 6.1). It
// may have any prefix, a public one too.
func isISATAP(ip netip.Addr) bool {
	const global = 0x02 // a bit that may be set or not
	b := ip.As16()
	return b[8]&^global == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
