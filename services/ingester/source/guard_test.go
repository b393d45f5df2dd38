package source

import (
	"errors"
	"net"
	"strings"
	"testing"

	"sluice/pkg/events"
)

func TestGuardChecksAddresses(t *testing.T) {
	tests := []struct {
		address string
		allow   string
		open    bool
	}{
		{"93.184.215.14:80", "", true},
		{"93.184.215.14:443", "", true},
		{"[2606:2800:21f::1]:443", "", true},
		{"93.184.215.14:8080", "", false},
		{"93.184.215.14:8080", "93.184.215.14:8080", true},
		{"93.184.215.14:8081", "93.184.215.14:8080", false},
		{"93.184.215.14:22", "93.184.0.0/16", true},
		{"127.0.0.1:80", "", false},
		{"127.9.9.9:4222", "127.0.0.0/8", true},
		{"127.0.0.1:80", "127.0.0.7/8", true},
		{"[::1]:80", "", false},
		{"[::1]:8080", "::1", true},
		{"[::1]:8080", "[::1]", true},
		{"[::1]:8080", "[::1]:8080", true},
		{"[::1]:80", "[::1]:8080", false},
		{"[::ffff:127.0.0.1]:80", "", false},
		{"[::ffff:127.0.0.1]:80", "127.0.0.1", true},
		{"0.0.0.0:80", "", false},
		{"[::]:80", "", false},
		{"10.1.2.3:80", "", false},
		{"10.1.2.3:80", "10.0.0.0/8", true},
		{"100.64.0.1:80", "", false},
		{"169.254.169.254:80", "", false},
		{"172.16.0.1:80", "", false},
		{"192.168.1.1:80", "", false},
		{"168.63.129.16:80", "", false},
		{"168.63.129.16:80", "168.63.129.16", true},
		{"224.0.0.1:80", "", false},
		{"255.255.255.255:80", "", false},
		{"[fe80::1%eth0]:80", "", false},
		{"[fe80::1%eth0]:80", "fe80::/10", true},
		{"[fd00::1]:80", "", false},
		{"[64:ff9b::7f00:1]:80", "", false},
		{"[2002:7f00:1::]:80", "", false},
		{"nonsense", "0.0.0.0/0", false},
	}
	for _, test := range tests {
		var allow []string
		if test.allow != "" {
			allow = []string{test.allow}
		}
		g, err := newGuard(allow)
		if err != nil {
			t.Fatal(err)
		}
		network := "tcp4"
		if strings.HasPrefix(test.address, "[") {
			network = "tcp6"
		}
		err = g.check(network, test.address, nil)
		if (err == nil) != test.open || err != nil && !errors.Is(err, errForbidden) {
			t.Errorf("%s with %q allowed: error %v, want open %v", test.address, test.allow, err, test.open)
		}
	}
}

func TestGuardTrustsHosts(t *testing.T) {
	g, err := newGuard([]string{"localhost", " Files.Internal.:8080 ", "my_host-1"})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{
		"localhost:80":             true,
		"LOCALHOST.:9999":          true,
		"files.internal:8080":      true,
		"files.internal:80":        false,
		"x.files.internal:8080":    false,
		"files.internal.test:8080": false,
		"my_host-1:443":            true,
		"127.0.0.1:80":             false,
		"localhost":                false,
	}
	for address, want := range tests {
		if got := g.trustsHost(address); got != want {
			t.Errorf("trustsHost(%s) = %v", address, got)
		}
	}
}

func TestGuardRefusesEntries(t *testing.T) {
	entries := []string{
		"", " ", ".", "10.0.0.0/33", "10.0.0/8", "::ffff:10.0.0.0/104", "http://files.test", "files.test:", "files.test:0",
		"files.test:70000", "files.test:http", "10.0.0.0/8:80", "*.internal", "a b", "bücher.test", "10.0.0.300", "10.0.0.1:x",
	}
	for _, entry := range entries {
		if _, err := newGuard([]string{entry}); err == nil || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("entry %q: error %v, want one that names it", entry, err)
		}
	}
}

func TestOpenAsksTheGuard(t *testing.T) {
	closed := newSource(t, func(c *Config) { c.Allow = nil })
	names := map[string]string{"private.test": "10.0.0.1", "azure.test": "168.63.129.16", "metadata.test": "169.254.169.254", "loop.test": "127.0.0.1"}
	closed.web.dialer.resolver = nameServer(t, names)
	local := serveText(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(local, "http://"))

	forbidden := []string{
		local, "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://localhost/",
		"http://private.test/", "http://azure.test/", "https://metadata.test/", "http://loop.test:" + port + "/",
		"http://93.184.215.14:8080/",
	}
	for _, url := range forbidden {
		t.Run(url, func(t *testing.T) {
			wantFailure(t, openErr(t, closed, url), events.CodeSourceForbidden, strings.TrimSuffix(url, "/"))
		})
	}
	t.Run("after a redirect", func(t *testing.T) {
		h := newSource(t)
		h.web.dialer.resolver = closed.web.dialer.resolver
		err := openErr(t, h, redirectTo(t, "http://metadata.test/latest"))
		wantFailure(t, err, events.CodeSourceForbidden, "http://metadata.test/latest")
	})
	t.Run("an allowed host", func(t *testing.T) {
		h := newSource(t, func(c *Config) { c.Allow = []string{"loop.test:" + port} })
		h.web.dialer.resolver = closed.web.dialer.resolver
		open(t, h, "http://loop.test:"+port+"/")
		wantFailure(t, openErr(t, h, local), events.CodeSourceForbidden)
	})
}
