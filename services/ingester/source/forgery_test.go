package source

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"code.dny.dev/ssrf"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// forged are addresses of what a server-side request may want to get at, by what becomes of them.
var forged = map[events.Code][]string{
	events.CodeSourceForbidden: slices.Concat(reserved, reservedIPv6, metadata, spelt, []string{
		// user and password that look like a host
		"http://public.test@127.0.0.1/", "http://public.test:80@127.0.0.1/", "http://public.test&@127.0.0.1/",
		"http://public.test;@127.0.0.1/", "http://public.test%2f@127.0.0.1/", "http://a@b@127.0.0.1/", "http://@127.0.0.1/",
		"http://127.0.0.1#@public.test/", "http://127.0.0.1?@public.test/",
		// schemes and ports
		"HTTP://127.0.0.1/", "hTTps://127.0.0.1/", "http://127.0.0.1:/", "http://127.0.0.1:00080/", "https://127.0.0.1:80/",
		"http://203.0.113.9:22/", "http://203.0.113.9:25/", "http://203.0.113.9:6379/", "http://[2001:db8::9]:11211/",
	}),
	events.CodeSourceNotFound: {
		// other ways to write 127.0.0.1, which are none: a name server has to be asked, and knows none of them
		"http://2130706433/", "http://017700000001/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://127.0.0.01/",
		"http://127.0.0.1./", "http://127.0.0.1../", "http://127.0.0.256/", "http://0/", "http://0x0/", "http://4294967295/",
		"http://127.0.0.1%2f@public.test/", "http://public.test#@127.0.0.1/", "http://127.0.0.1:80@public.test/",
	},
	events.CodeSourceUnsupported: {
		"gopher://127.0.0.1:6379/_INFO", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "ws://127.0.0.1/",
		"sftp://127.0.0.1/", "tftp://127.0.0.1/", "data:text/csv,a", "javascript:alert(1)", "jar:http://127.0.0.1!/",
		"http+unix://%2frun%2fdocker.sock/",
		"http:///", "http://@/", "http://:80/", "http:", "http://?", "http:////127.0.0.1/", "http:/127.0.0.1/", "http:127.0.0.1/",
		"http:\\\\127.0.0.1/", "http://127.0.0.1\\@public.test/", "http://public.test\\@127.0.0.1/", "http://127.0.0.1\\.public.test/",
		"http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/", "http://127.0.0.1%00.public.test/", "http://%5b::1%5d/", "http://127.0.0.1%20/",
		"http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:80:80/", "http://127.0.0.1:+80/", "http://127.0.0.1: 80/",
		"http://[::1/", "http://::1/", "http://[127.0.0.1]/", "http://[::1]x/", "http://[::1]./", "http://[fe80::1%25]/", "http://127.0.0.1\t/",
	},
}

// reserved are IPv4 addresses of which none belongs to the public internet, the first and the last of each kind.
var reserved = asHosts("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.254",
	"169.254.0.1", "169.254.255.255", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1",
	"192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
	"239.255.255.255", "240.0.0.1", "255.255.255.254", "255.255.255.255")

// reservedIPv6 are those of IPv6, most of them with an IPv4 address in them.
var reservedIPv6 = asHosts("[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]",
	"[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[::ffff:10.0.0.1]", "[::ffff:0.0.0.0]", // mapped
	"[::127.0.0.1]", "[::7f00:1]", "[::5db8:d70e]", // compatible
	"[::ffff:0:127.0.0.1]",                                                                                            // translated
	"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::5db8:d70e]", "[64:ff9b:1::7f00:1]", "[64:ff9b:1:ffff::1]", // NAT64
	"[2002:7f00:1::]", "[2002:a00:1::1]", "[2002:5db8:d70e::1]", // 6to4
	"[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", // Teredo
	"[fe80::5efe:127.0.0.1]", "[2001:470::5efe:7f00:1]", "[2001:470:1:2:200:5efe:a00:1]", // ISATAP
	"[fe80::1]", "[febf::1]", "[fe80::1%25lo]", "[fe80::1%251]", "[::1%25lo]", "[::1%25nosuch]", "[::ffff:127.0.0.1%25lo]", // link-local, zones
	"[fec0::1]", "[fc00::1]", "[fd00::1]", "[fdff:ffff::1]", "[ff02::1]", "[ff0e::1]", // site-local, unique local, multicast
	"[100::1]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[2620:4f:8000::1]", "[4000::1]", "[e000::1]")

// metadata is where clouds tell machines their secrets.
var metadata = asHosts("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42", "100.100.100.200", "192.0.0.192",
	"168.63.129.16", "[::ffff:168.63.129.16]", "[::ffff:a83f:8110]", "[fd00:ec2::254]", "[fd20:ce::254]", "[fe80::a9fe:a9fe]",
	"metadata.google.internal", "METADATA.Google.Internal.", "instance-data.ec2.internal", "metadata.tencentyun.com")

// spelt are loopback addresses in other words: some that the transport itself turns into digits, and what a system's
// resolver may take for an address, which is told by the tests' name server here.
var spelt = asHosts("localhost", "LOCALHOST", "localhost.", "LocalHost.:443", "ip6-localhost", "loop.test", "LOOP.TEST.",
	"0x7f000001", "0x7f.1", "0X7F.0.0.1", "127.0.0.0x1",
	"１２７.０.０.１", "１２７．０．０．１", "127。0。0。1", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost", "local\u200bhost", "ℒocalhost")

func asHosts(hosts ...string) (urls []string) {
	for _, host := range hosts {
		urls = append(urls, "http://"+host+"/")
	}
	return urls
}

// internalNames is a name server that knows hosts of the network that Sluice lives in.
func internalNames(t *testing.T) *testenv.Names {
	t.Helper()
	names := testenv.StartNames(t)
	for ip, hosts := range map[string][]string{
		"169.254.169.254": {"metadata.google.internal", "instance-data.ec2.internal"},
		"169.254.0.23":    {"metadata.tencentyun.com"},
		"127.0.0.1":       {"localhost", "ip6-localhost", "loop.test", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "127.0.0.0x1"},
	} {
		for _, host := range hosts {
			names.Tell(host, []string{ip})
		}
	}
	return names
}

// TestForgedAddressesAreRefused opens each address by itself and behind a redirect.
func TestForgedAddressesAreRefused(t *testing.T) {
	web := testenv.StartWeb(t)
	h := newSource(t, func(c *Config) { c.Allow = []string{strings.TrimPrefix(web.URL, "http://")} })
	h.web.dialer.resolver = internalNames(t).Resolver()
	for code, urls := range forged {
		behind := code
		if code == events.CodeSourceUnsupported {
			behind = events.CodeSourceRedirects
		}
		for _, url := range urls {
			t.Run(url, func(t *testing.T) {
				wantFailure(t, openErr(t, h, url), code)
				wantFailure(t, openErr(t, h, web.On("/", testenv.Redirect(302, url))), behind)
			})
		}
	}
}

// TestRedirectsToForgedAddresses has those that mean something else behind a redirect.
func TestRedirectsToForgedAddresses(t *testing.T) {
	web := testenv.StartWeb(t)
	h := newSource(t, func(c *Config) { c.Allow = []string{strings.TrimPrefix(web.URL, "http://")} })
	for location, code := range map[string]events.Code{
		"//127.0.0.1/":         events.CodeSourceForbidden,
		"//169.254.169.254":    events.CodeSourceForbidden,
		"  http://10.0.0.1/  ": events.CodeSourceForbidden,
		"//[::ffff:7f00:1]/":   events.CodeSourceForbidden,
		"//public@127.0.0.1/":  events.CodeSourceForbidden,
		`/\127.0.0.1/`:         events.CodeSourceNotFound, // a path of the same host
		`\\127.0.0.1\`:         events.CodeSourceNotFound,
		"///127.0.0.1/":        events.CodeSourceNotFound,
		"127.0.0.1:80/":        events.CodeSourceRedirects,
	} {
		t.Run(location, func(t *testing.T) {
			wantFailure(t, openErr(t, h, web.On("/first", testenv.Redirect(307, location))), code)
		})
	}
}

// TestRedirectsLeadOutOfTheWebNowhere has a file and an upload that the opener gives, to those who ask for them by name.
func TestRedirectsLeadOutOfTheWebNowhere(t *testing.T) {
	web := testenv.StartWeb(t)
	_, fileURL := stored(t, []byte(file))
	path := strings.TrimPrefix(fileURL, "file://")
	o := newSource(t, func(c *Config) {
		c.Folders = []string{filepath.Dir(path)}
		c.Uploads = &store{files: map[string]string{"one": file}}
	})
	for _, url := range []string{fileURL, "upload:one"} {
		wantRest(t, open(t, o, url), file)
	}
	for _, location := range []string{
		fileURL, "file:" + path, "FILE://" + path, "file://localhost" + path, "file://127.0.0.1" + path, "file:///etc/passwd",
		"upload:one", "Upload:one", "upload:/one", "upload://one",
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(status, " ", location), func(t *testing.T) {
				wantFailure(t, openErr(t, o, web.On("/first", testenv.Redirect(status, location))), events.CodeSourceRedirects)
			})
		}
	}
}

// TestForgedAddressesAreNotConnectedTo has a server that each address leads to, on a port that is open.
func TestForgedAddressesAreNotConnectedTo(t *testing.T) {
	secret, public := testenv.StartWeb(t), testenv.StartWeb(t)
	h := newSource(t, func(c *Config) { c.Allow = []string{strings.TrimPrefix(public.URL, "http://")} })
	h.web.dialer.resolver = internalNames(t).Resolver()
	h.web.dialer.guard.public = ssrf.New(ssrf.WithPorts(secret.Port()))
	hosts := []string{
		"127.0.0.1", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]", "[::127.0.0.1]", "[::ffff:127.0.0.1%25lo]", "public.test@127.0.0.1",
		"127.255.255.254", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost", "LOCALHOST.", "loop.test", "0x7f000001",
		"１２７．０．０．１", "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127.0.0.1.", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "public.test\\@127.0.0.1", "%31%32%37.0.0.1",
	}
	for _, host := range hosts {
		t.Run(host, func(t *testing.T) {
			url := fmt.Sprintf("http://%s:%d/", host, secret.Port())
			for _, way := range []string{url, public.On("/", testenv.Redirect(302, url))} {
				if err := openErr(t, h, way); secret.Connections() != 0 {
					t.Fatalf("connected, and then: %v", err)
				}
			}
		})
	}
	if h = newSource(t); secret.Connections() != 0 || openErr(t, h, secret.URL) == nil || secret.Connections() != 1 {
		t.Errorf("an allowed address is connected to %d times", secret.Connections())
	}
}

// TestAllowedHostsOpenNoOthers has names that look like one that is allowed.
func TestAllowedHostsOpenNoOthers(t *testing.T) {
	names := testenv.StartNames(t)
	for _, host := range []string{"files.internal", "files.internal.evil.test", "evil-files.internal", "x.files.internal"} {
		names.Tell(host, []string{"10.0.0.1"})
	}
	h := newSource(t, func(c *Config) { c.Allow = []string{"files.internal:8080"} })
	h.web.dialer.resolver = names.Resolver()
	for _, url := range []string{
		"http://files.internal.evil.test:8080/", "http://evil-files.internal:8080/", "http://x.files.internal:8080/",
		"http://files.internal:80/", "http://files.internal:8081/", "http://files.internal@10.0.0.1:8080/", "http://10.0.0.1:8080/",
		"http://files.internal:8080@10.0.0.1/", "http://10.0.0.1:8080/#files.internal:8080",
	} {
		t.Run(url, func(t *testing.T) { wantFailure(t, openErr(t, h, url), events.CodeSourceForbidden) })
	}
}
