package api

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"sluice/internal/testenv"
	"sluice/pkg/apikey"
	"sluice/pkg/bus"
	"sluice/services/api/contract"
	"sluice/services/api/refusal"
)

// TestEveryOperationAsksForItsScope goes through the document, so that no operation can be forgotten.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	e, _ := newKeyedEnv(t)
	keys := map[apikey.Scope]string{}
	for _, scope := range apikey.Scopes() {
		_, keys[scope] = e.newKey(t, apikey.Key{Name: string(scope), Scopes: []apikey.Scope{scope}, CreatedAt: noon})
	}
	all, err := contract.Read()
	if err != nil {
		t.Fatal(err)
	}
	asked := map[apikey.Scope]int{}
	for _, o := range all.Operations() {
		route := o.Method + " " + o.Path
		path := colon.ReplaceAllString(o.Path, "01a1ff8e-7160-7994-90cf-204ee61cbd5a")
		// A Last-Event-ID that is none, so that no stream begins.
		call := func(headers ...string) answer { return e.call(t, o.Method, path, "", append(headers, isLast+"x")...) }
		without := call()
		if len(o.Scopes) == 0 {
			if public := []string{"getHealth", "getReadiness", "getOpenapi", "getDocs", "getDocsAsset"}; !slices.Contains(public, o.ID) || without.status == http.StatusUnauthorized {
				t.Errorf("%s is for everybody, and is answered with %d", route, without.status)
			}
			continue
		}
		if len(o.Scopes) != 1 || !slices.Contains(apikey.Scopes(), o.Scopes[0]) {
			t.Errorf("%s asks for %v", route, o.Scopes)
		}
		asked[o.Scopes[0]]++
		refused(t, without, refusal.Unauthenticated)
		for scope, header := range keys {
			a := call(header)
			if scope == o.Scopes[0] {
				if code := decodedCode(a); a.status == http.StatusUnauthorized || code == refusal.ScopeMissing {
					t.Errorf("%s with the scope %s: %d %s", route, scope, a.status, a.body)
				}
				continue
			}
			p := refused(t, a, refusal.ScopeMissing)
			if !strings.Contains(*p.Detail, string(o.Scopes[0])) {
				t.Errorf("%s: %s does not name the scope", route, *p.Detail)
			}
			if want := `Bearer realm="sluice", error="insufficient_scope", scope="` + string(o.Scopes[0]) + `"`; a.header.Get(echo.HeaderWWWAuthenticate) != want {
				t.Errorf("%s: %s", route, a.header.Get(echo.HeaderWWWAuthenticate))
			}
		}
	}
	for _, scope := range apikey.Scopes() {
		if asked[scope] == 0 {
			t.Errorf("no operation asks for %s", scope)
		}
	}
}

func decodedCode(a answer) refusal.Code {
	found := regexp.MustCompile(`"code":"([a-z_]+)"`).FindSubmatch(a.body)
	if found == nil {
		return ""
	}
	return refusal.Code(found[1])
}

// TestKeysThatAreNotValid holds that whatever is wrong with a key, the answer is the same.
func TestKeysThatAreNotValid(t *testing.T) {
	e, _ := newKeyedEnv(t)
	known, header := e.newKey(t, good())
	text := strings.TrimPrefix(header, isBearer)
	expired := good()
	expired.ExpiresAt = noon.Add(time.Hour)
	_, expiredHeader := e.newKey(t, expired)
	_, unknown := apikey.New(good())
	id, secret, _ := apikey.Parse(text)
	_, otherSecret, _ := apikey.Parse(unknown)
	revoked, revokedHeader := e.newKey(t, good())
	if a := e.call(t, http.MethodGet, "/v1/jobs", "", revokedHeader); a.status != http.StatusOK {
		t.Fatalf("before it is revoked: %d %s", a.status, a.body)
	}
	if err := e.bus.Keys.Delete(testenv.Context(t), revoked.ID); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(testenv.Context(t), t, "the key is revoked", func() error {
		if e.api.keys.Holder(revoked.ID) != nil {
			return errors.New("it is still held")
		}
		return nil
	})

	var wanted answer
	for name, headers := range map[string][]string{
		"unknown":           {isBearer + unknown},
		"wrong secret":      {isBearer + "sluice_" + id + "_" + otherSecret},
		"expired":           {expiredHeader},
		"revoked":           {revokedHeader},
		"no key":            {isBearer + "x"},
		"empty":             {"Authorization: Bearer "},
		"nothing":           {"Authorization: "},
		"another scheme":    {"Authorization: Basic " + text},
		"without a scheme":  {"Authorization: " + text},
		"the hash":          {isBearer + "sluice_" + id + "_" + known.Hash},
		"in capitals":       {isBearer + strings.ToUpper(text)},
		"two of them":       {header, header},
		"two keys in one":   {header + ", Bearer " + text},
		"huge":              {isBearer + strings.Repeat("sluice_", 8000)},
		"no text":           {isBearer + "\xff\xfe" + text},
		"another id":        {isBearer + "sluice_00000000_" + secret},
		"a subject of NATS": {isBearer + "sluice_>_" + secret},
	} {
		a := e.call(t, http.MethodGet, "/v1/jobs", "", headers...)
		refused(t, a, refusal.Unauthenticated)
		a.header.Del("Date")
		if got := a.header.Get(echo.HeaderWWWAuthenticate); got != `Bearer realm="sluice", error="invalid_token"` {
			t.Errorf("%s: %s", name, got)
		}
		if wanted.body == nil {
			wanted = a
		}
		if string(a.body) != string(wanted.body) || len(a.header) != len(wanted.header) {
			t.Errorf("%s: answered %v %s, another one %v %s", name, a.header, a.body, wanted.header, wanted.body)
		}
	}
	a := e.get(t, "/v1/jobs")
	refused(t, a, refusal.Unauthenticated)
	if got := a.header.Get(echo.HeaderWWWAuthenticate); got != `Bearer realm="sluice"` {
		t.Errorf("without a key: %s", got)
	}
	for _, fine := range []string{header, "Authorization: bearer  " + text, "Authorization: BEARER " + text} {
		if a := e.call(t, http.MethodGet, "/v1/jobs", "", fine); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", fine, a.status, a.body)
		}
	}
	for _, target := range []string{"/", "/v1/nothing", "/v1/jobs/"} { // routes are no secret
		refused(t, e.get(t, target), refusal.NotFound)
	}
	refused(t, e.call(t, http.MethodPut, "/v1/jobs", ""), refusal.MethodNotAllowed)
}

// TestKeysAreNotRead holds that nobody is let in while the keys cannot be read, and everybody once they can.
func TestKeysAreNotRead(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	ctx := testenv.Context(t)
	k, text := apikey.New(good())
	e.removeStream(ctx, t, "KV_"+bus.KeysBucket)
	e.api.config.RequireKeys = true
	go e.api.keys.Run(ctx, e.bus.Keys, e.api.config.Log)
	a := e.call(t, http.MethodGet, "/v1/jobs", "", isBearer+text)
	refused(t, a, refusal.KeysUnavailable)
	if a.header.Get(echo.HeaderRetryAfter) == "" {
		t.Error("it is not told when to try again")
	}
	refused(t, e.get(t, "/v1/jobs"), refusal.Unauthenticated)
	e.expectReady(t, http.StatusServiceUnavailable, map[string]string{"nats": "ok", "queue": "ok", "status": "ok", "keys": "not read yet"})

	if err := bus.Setup(ctx, e.bus.Conn, 1); err != nil {
		t.Fatal(err)
	}
	if err := e.bus.Keys.Put(ctx, k); err != nil {
		t.Fatal(err)
	}
	e.heldBy(t, k.ID)
	if a := e.call(t, http.MethodGet, "/v1/jobs", "", isBearer+text); a.status != http.StatusOK {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	e.expectReady(t, http.StatusOK, map[string]string{"nats": "ok", "queue": "ok", "status": "ok", "keys": "ok"})
}

// TestKeysOutliveNATS holds that keys are known while NATS is away: what is refused then is refused for that.
func TestKeysOutliveNATS(t *testing.T) {
	e, _ := newKeyedEnv(t)
	_, header := e.newKey(t, good())
	_, unknown := apikey.New(good())
	e.stopNATS(testenv.Context(t), t)
	refused(t, e.call(t, http.MethodGet, "/v1/jobs", "", header), refusal.StatusUnavailable)
	refused(t, e.call(t, http.MethodGet, "/v1/jobs", "", isBearer+unknown), refusal.Unauthenticated)
}

// TestStreamsEndWithTheirKey holds that who is watching when the key is revoked, or expires, sees nothing more.
func TestStreamsEndWithTheirKey(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *env, apikey.Key){
		"revoked": func(t *testing.T, e *env, k apikey.Key) {
			if err := e.bus.Keys.Delete(testenv.Context(t), k.ID); err != nil {
				t.Fatal(err)
			}
		},
		"expired": func(*testing.T, *env, apikey.Key) {}, // by itself
	} {
		t.Run(name, func(t *testing.T) {
			var passed atomic.Int64 // of the API's time
			e, _ := newLiveEnv(t, func(e *env) {
				e.api.config.RequireKeys = true
				e.api.now = func() time.Time { return noon.Add(time.Duration(passed.Load())) }
			})
			wanted := good()
			if name == "expired" {
				wanted.ExpiresAt = noon.Add(200 * time.Millisecond)
			}
			k, header := e.newKey(t, wanted)
			w := e.watch(t, "/v1/events", header)
			end(t, e, k)
			if _, err := io.Copy(io.Discard, w); err != nil {
				t.Errorf("the stream ended with %v", err)
			}
			passed.Store(int64(time.Second))
			refused(t, e.call(t, http.MethodGet, "/v1/events", "", header), refusal.Unauthenticated)
		})
	}
}

// TestRevokedWhileWaited holds that a request whose key is revoked meanwhile is told so, and not answered with nothing.
func TestRevokedWhileWaited(t *testing.T) {
	e, _ := newLiveEnv(t, func(e *env) { e.api.config.RequireKeys = true })
	k, header := e.newKey(t, good())
	job := e.create(t, example, header)
	answers := e.ask(t, job.Links.Self+"?wait=60s", header)
	e.awaitListeners(t, job.ID, 1)
	if err := e.bus.Keys.Delete(testenv.Context(t), k.ID); err != nil {
		t.Fatal(err)
	}
	refused(t, <-answers, refusal.Unauthenticated)
}

func TestWhereKeysAreAskedFor(t *testing.T) {
	for _, tt := range []struct {
		addr             string
		require, without bool
		asks, fails      bool
	}{
		{addr: "127.0.0.1:3000"},
		{addr: "localhost:3000"},
		{addr: "[::1]:3000", require: true, asks: true},
		{addr: "127.0.0.1:3000", without: true},
		{addr: "0.0.0.0:3000", asks: true},
		{addr: "[::]:3000", asks: true},
		{addr: ":3000", asks: true},
		{addr: "10.1.2.3:3000", require: true, asks: true},
		{addr: "sluice.example:3000", asks: true},
		{addr: "0.0.0.0:3000", without: true},
		{addr: "0.0.0.0:3000", require: true, without: true, fails: true},
	} {
		asks, err := AsksForKeys(tt.addr, tt.require, tt.without)
		if asks != tt.asks || (err != nil) != tt.fails {
			t.Errorf("%+v: %t, %v", tt, asks, err)
		}
	}
}
