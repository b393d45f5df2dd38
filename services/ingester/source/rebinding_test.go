package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// rebinding is a host whose name server cannot be trusted: the name stands for a server that may be asked, or for one on
// the same port that may not. Both have loopback addresses, of which only the first is allowed.
type rebinding struct {
	*Opener
	names            *testenv.Names
	public, internal *testenv.Web
	url              string // of the host
}

const (
	publicIP   = "127.0.0.1"
	internalIP = "127.0.0.2"
)

func rebind(t *testing.T, answers ...[]string) *rebinding {
	t.Helper()
	r := &rebinding{names: testenv.StartNames(t), public: testenv.StartWebAt(t, publicIP+":0")}
	port := r.public.Port()
	r.internal = testenv.StartWebAt(t, fmt.Sprintf("%s:%d", internalIP, port))
	r.Opener = newSource(t, func(c *Config) { c.Allow = []string{fmt.Sprintf("%s:%d", publicIP, port)} })
	r.web.dialer.resolver = r.names.Resolver()
	r.names.Tell("rebind.test", answers...)
	r.url = fmt.Sprintf("http://ann:secret@rebind.test:%d", port)
	for _, web := range []*testenv.Web{r.public, r.internal} {
		web.On("/f.csv", testenv.Ranged(file, "ETag: "+tag))
	}
	return r
}

// wantUntouched checks that the internal server was left alone.
func (r *rebinding) wantUntouched(t *testing.T) {
	t.Helper()
	if n := r.internal.Connections(); n != 0 {
		t.Errorf("the internal server was connected to %d times", n)
	}
}

func TestRebindingBetweenTwoRequests(t *testing.T) {
	r := rebind(t, []string{publicIP}, []string{internalIP})
	wantRest(t, open(t, r.Opener, r.url+"/f.csv"), file)
	wantFailure(t, openErr(t, r.Opener, r.url+"/f.csv"), events.CodeSourceForbidden, "rebind.test")
	r.wantUntouched(t)
	if asked := len(r.names.Asked()); asked != 4 { // twice for each kind of address
		t.Errorf("the name server was asked %d times", asked)
	}
}

func TestRebindingAcrossARedirect(t *testing.T) {
	for name, location := range map[string]string{"to a path": "/f.csv", "to the host": "http://rebind.test:%d/f.csv"} {
		t.Run(name, func(t *testing.T) {
			r := rebind(t, []string{publicIP}, []string{internalIP})
			r.public.On("/first", testenv.Redirect(http.StatusFound, strings.Replace(location, "%d", fmt.Sprint(r.public.Port()), 1)))
			wantFailure(t, openErr(t, r.Opener, r.url+"/first"), events.CodeSourceForbidden, "/f.csv")
			r.wantUntouched(t)
		})
	}
}

func TestRebindingAcrossAResume(t *testing.T) {
	r := rebind(t, []string{publicIP}, []string{internalIP}, []string{publicIP})
	first := open(t, r.Opener, r.url+"/f.csv")
	if _, err := io.CopyN(io.Discard, first, readAt); err != nil {
		t.Fatal(err)
	}
	at := Point{Offset: first.Offset(), Digest: first.Digest(), Was: first.Validator()}
	first.Close()
	_, err := r.Resume(t.Context(), Request{URL: r.url + "/f.csv"}, at)
	wantFailure(t, err, events.CodeSourceForbidden)
	r.wantUntouched(t)

	body, err := r.Resume(t.Context(), Request{URL: r.url + "/f.csv"}, at)
	if err != nil || body.Offset() != readAt {
		t.Fatalf("resumed at the public address: %v", err)
	}
	defer body.Close()
	wantRest(t, body, file)
}

func TestRebindingWithinOneAnswer(t *testing.T) {
	mapped := "::ffff:" + internalIP
	tests := []struct {
		name   string
		answer []string
		open   bool // by way of the public address
	}{
		{"internal before public", []string{internalIP, publicIP}, true},
		{"public before internal", []string{publicIP, internalIP}, true},
		{"public among many", []string{internalIP, "10.0.0.1", "169.254.169.254", publicIP, "192.168.0.1"}, true},
		{"internal IPv6, public IPv4", []string{"::1", publicIP}, true},
		{"internal as IPv6, public IPv4", []string{mapped, publicIP}, true},
		{"public as IPv6, internal IPv4", []string{"::ffff:" + publicIP, internalIP}, true},
		{"internal both ways", []string{mapped, "::1", internalIP}, false},
		{"internal only", []string{internalIP}, false},
		{"internal as IPv6 only", []string{mapped}, false},
		{"another name of an internal one", []string{"internal.test"}, false},
		{"another name of another name", []string{"alias.test"}, false},
		{"another name of a public one", []string{"public.test"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := rebind(t, test.answer)
			r.names.Tell("internal.test", []string{internalIP})
			r.names.Tell("alias.test", []string{"internal.test"})
			r.names.Tell("public.test", []string{publicIP})
			if test.open {
				wantRest(t, open(t, r.Opener, r.url+"/f.csv"), file)
			} else {
				wantFailure(t, openErr(t, r.Opener, r.url+"/f.csv"), events.CodeSourceForbidden)
			}
			r.wantUntouched(t)
		})
	}
}

// TestRebindingWhileThePublicAddressIsAway holds that nothing else is tried for it.
func TestRebindingWhileThePublicAddressIsAway(t *testing.T) {
	const away = "127.0.0.3" // allowed, and nobody listens there
	for _, answer := range [][]string{{away, internalIP}, {internalIP, away}} {
		r := rebind(t, answer)
		guard, err := newGuard([]string{away})
		if err != nil {
			t.Fatal(err)
		}
		r.web.dialer.guard = guard
		var failure *events.Failure
		if err := openErr(t, r.Opener, r.url+"/f.csv"); !errors.As(err, &failure) {
			t.Errorf("error %v", err)
		}
		r.wantUntouched(t)
	}
}
