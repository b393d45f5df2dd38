package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// confidence is a kind of job that is told secrets, and what its source does with them.
type confidence struct {
	name   string
	source []testenv.Answer // of its server, one after the other; nil: see address
	// address is where the source is instead, without anything secret.
	address string
	change  map[string]any // to the request
	state   string         // in which it ends, or is left
	code    string         // of its failure, also if it is tried again
}

// csvText has a few KB, so that it can break off in the middle.
var csvText = "n,text\n" + strings.Repeat("1,some text\n", 500)

// confidences are what is asked for with secrets: once in vain for each way in which a source can fail, and with success.
func (s *secretive) confidences(t *testing.T) []confidence {
	t.Helper()
	const etag = `ETag: "v1"`
	whole := testenv.Ranged(csvText, etag)
	half := []testenv.Step{testenv.Head(200, etag, fmt.Sprint("Content-Length: ", len(csvText))), testenv.Send(csvText[:len(csvText)/2])}
	broken := []testenv.Step{testenv.Send("HTTP/1.1 200 OK\r\n" + s.secret("header") + "\r\n\r\n")}
	elsewhere := s.second.URL + "/stored?signature=" + url.QueryEscape(s.secret("signature"))
	return []confidence{
		{name: "loaded", source: []testenv.Answer{whole}, state: "succeeded"},
		{name: "redirected", source: []testenv.Answer{testenv.Redirect(302, elsewhere)}, state: "succeeded"},
		{name: "not-found", source: []testenv.Answer{testenv.Status(404), whole}, state: "failed", code: "source_not_found"},
		{name: "refused", source: []testenv.Answer{testenv.Status(401, "WWW-Authenticate: Basic realm="+s.secret("realm"))}, state: "failed", code: "source_refused"},
		{name: "busy", source: []testenv.Answer{testenv.Status(503, "Retry-After: "+s.secret("wait")), whole}, state: "succeeded", code: "source_unavailable"},
		{name: "truncated", source: []testenv.Answer{half, whole}, state: "succeeded", code: "source_truncated"},
		{name: "stalled", source: []testenv.Answer{append(half, testenv.Hang), whole}, state: "succeeded", code: "source_stalled"},
		{name: "mute", source: []testenv.Answer{{testenv.Hang}, whole}, state: "succeeded", code: "source_unreachable"},
		{name: "broken-header", source: []testenv.Answer{broken}, state: "failed", code: "source_unsupported"},
		{name: "status", source: []testenv.Answer{testenv.Status(299)}, state: "failed", code: "source_unsupported"},
		{name: "large", source: []testenv.Answer{{testenv.Head(200, "Content-Length: 999999999")}}, state: "failed", code: "source_too_large"},
		{name: "lost-redirect", source: []testenv.Answer{testenv.Redirect(302, "http://"+s.word+":x@nowhere:port/?"+s.word)}, state: "failed", code: "source_redirects"},
		{name: "endless-redirect", source: []testenv.Answer{testenv.Redirect(302, "?"+s.word+"#"+s.word)}, state: "failed", code: "source_redirects"},
		{name: "inner-redirect", source: []testenv.Answer{testenv.Redirect(302, "http://"+s.word+"@10.0.0.1/x?"+s.word)}, state: "failed", code: "source_forbidden"},
		{name: "bad-row", source: []testenv.Answer{testenv.File("a,b\n1,\"2\n")}, state: "failed", code: "unterminated_quote"},
		{name: "page", source: []testenv.Answer{testenv.File("<!doctype html><html>", "Content-Type: text/html")}, state: "failed", code: "not_csv"},
		{name: "empty", source: []testenv.Answer{testenv.File("")}, state: "failed", code: "empty_source"},
		{name: "damaged", source: []testenv.Answer{testenv.File(testenv.Gzip(t, csvText) + "x")}, state: "failed", code: "source_corrupt"},
		{name: "no-archive", source: []testenv.Answer{whole}, change: map[string]any{"member": "a.csv"}, state: "failed", code: "member_not_found"},
		{name: "unknown-table", source: []testenv.Answer{whole}, change: map[string]any{"schema": "nowhere"}, state: "failed", code: "schema_not_found"},
		{name: "forbidden", address: "http://10.0.0.1/file.csv", state: "failed", code: "source_forbidden"},
		{name: "untrusted", address: s.untrusted.URL + "/file.csv", state: "failed", code: "source_unsupported"},
		{name: "without-TLS", address: strings.Replace(s.first.URL, "http", "https", 1) + "/file.csv", state: "failed", code: "source_unsupported"},
		{name: "unreachable", address: "http://" + deadAddress(t) + "/file.csv", state: "retrying", code: "source_unreachable"},
		{name: "long", source: []testenv.Answer{{testenv.Head(200), testenv.Trickle(csvText, 50*time.Millisecond)}}, state: "running"},
	}
}

// TestSecretsAreNowhere tells secrets to jobs of all kinds, in each place of a request that takes some, and then looks for
// them in everything that is said, shown and kept.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	s := startSecretive(t)
	ids, kinds := map[string]string{}, map[string]confidence{}
	for _, kind := range s.confidences(t) {
		for _, way := range []string{"user", "bearer"} {
			name := kind.name + "-" + way
			kinds[name], ids[name] = kind, s.confide(t, name, way, kind)
		}
	}
	for _, name := range []string{"unreachable-user", "unreachable-bearer", "long-user", "long-bearer"} {
		s.expectEnd(t, ids[name], name, kinds[name])
		s.ask(t, http.MethodPost, "/v1/jobs/"+ids[name]+"/cancel", "")
		kinds[name] = confidence{state: "cancelled"}
	}
	for name, kind := range kinds {
		s.expectEnd(t, ids[name], name, kind)
	}
	for _, name := range []string{"not-found-user", "not-found-bearer"} {
		s.ask(t, http.MethodPost, "/v1/jobs/"+ids[name]+"/retry", "")
		s.awaitState(t, ids[name], "succeeded")
	}
	s.expectTold(t)
	for _, way := range []string{"user", "bearer"} {
		ids["sealed-"+way] = s.loseKey(t, way)
	}
	s.expectRefusals(t)
	s.expectSilence(t, ids)
}

// confide creates a job with secrets, and returns its id.
func (s *secretive) confide(t *testing.T, name, way string, kind confidence) string {
	t.Helper()
	address := kind.address
	if kind.source != nil {
		address = s.first.On("/"+name+".csv", kind.source...)
	}
	fields := map[string]any{"url": s.whole(address, way), "headers": s.headers(way), "table": name, "mode": "replace"}
	maps.Copy(fields, kind.change)
	return s.submitSecretly(t, fields).ID
}

// whole is an address with all that may be secret in one.
func (s *secretive) whole(address, way string) string {
	whole := address + "?token=" + url.QueryEscape(s.secret("token")) + "#" + url.PathEscape(s.secret("fragment"))
	if way == "user" {
		user := url.UserPassword(s.secret("user"), s.secret("password"))
		whole = strings.Replace(whole, "://", "://"+user.String()+"@", 1)
	}
	return whole
}

func (s *secretive) headers(way string) map[string]string {
	headers := map[string]string{"X-Api-Key": s.secret("key"), "Cookie": "session=" + s.secret("session")}
	if way == "bearer" {
		headers["Authorization"] = "Bearer " + s.secret("bearer")
	}
	return headers
}

func (s *secretive) submitSecretly(t *testing.T, fields map[string]any) job {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	a := s.ask(t, http.MethodPost, "/v1/jobs", string(body), "Content-Type: application/json")
	if a.status != http.StatusAccepted {
		t.Fatalf("creating a job: %d %s", a.status, a.body)
	}
	return decoded[job](t, a)
}

// expectEnd checks that a job comes to where its kind does, and for the reason that it should.
func (s *secretive) expectEnd(t *testing.T, id, name string, kind confidence) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // some take a second attempt
	defer cancel()
	j := s.await(ctx, t, id, name+" is "+kind.state, func(j job) bool { return j.State == kind.state })
	if reasons := s.reasons(t, id); kind.code != "" && !strings.Contains(reasons, `"`+kind.code+`"`) {
		t.Errorf("job %s is %s, and it was not for %s: %s", name, j.State, kind.code, reasons)
	}
}

// reasons is the history of a job, in which each failure is told.
func (s *secretive) reasons(t *testing.T, id string) string {
	t.Helper()
	return string(s.ask(t, http.MethodGet, "/v1/jobs/"+id+"/events?limit=1000", "").body)
}

// loseKey has a job met by an ingester with another key, and then by the one it is for.
func (s *secretive) loseKey(t *testing.T, way string) string {
	t.Helper()
	s.end(t, s.workers["right"])
	wrong := s.runWorker(t, "wrong", "SLUICE_SECRET_KEY="+newCanary(t).key)
	kind := confidence{source: []testenv.Answer{testenv.File(csvText)}, state: "failed", code: "secret_unreadable"}
	id := s.confide(t, "sealed-"+way, way, kind)
	s.expectEnd(t, id, "sealed", kind)
	s.end(t, wrong)
	s.runWorker(t, "right")
	s.ask(t, http.MethodPost, "/v1/jobs/"+id+"/retry", "")
	s.awaitState(t, id, "succeeded")
	return id
}

// expectRefusals sends requests with secrets that cannot be done. Answers never repeat them.
func (s *secretive) expectRefusals(t *testing.T) {
	t.Helper()
	address := s.first.URL + "/loaded-user.csv"
	quoted := func(v any) string { text, _ := json.Marshal(v); return string(text) } // strings and maps of them
	whole, headers := quoted(s.whole(address, "user")), quoted(s.headers("user"))
	for body, status := range map[string]int{
		`{"url":` + whole:                  http.StatusBadRequest,
		`{"url":` + whole + `,"table":""}`: http.StatusBadRequest,
		`{"url":` + whole + `,"headers":` + headers + `,"mode":"none"}`:                                http.StatusBadRequest,
		`{"url":` + whole + `,"headers":` + quoted(s.headers("bearer")) + `}`:                          http.StatusBadRequest, // two ways to authorize
		`{"url":` + whole + `,"upload":` + quoted("upload:"+s.word) + `}`:                              http.StatusBadRequest,
		`{"url":` + quoted(strings.Replace(s.whole(address, "user"), "http", "ftp", 1)) + `}`:          http.StatusBadRequest,
		`{"url":` + quoted(s.whole("http://host:port/", "user")) + `}`:                                 http.StatusBadRequest,
		`{"url":` + quoted(s.whole("file:///etc/passwd", "bearer")) + `}`:                              http.StatusBadRequest,
		`{"url":` + quoted("http://"+s.word+" x/") + `}`:                                               http.StatusBadRequest,
		`{"url":` + whole + `,"headers":{"X-Api-Key":` + quoted(s.word+"\x00") + `}}`:                  http.StatusBadRequest,
		`{"url":` + whole + `,"headers":{"Host":` + quoted(s.word) + `}}`:                              http.StatusBadRequest,
		`{"url":` + whole + `,"headers":[` + quoted(s.word) + `]}`:                                     http.StatusBadRequest,
		`{"url":` + whole + `,"headers":{"X":` + quoted(strings.Repeat(s.secret("long"), 1000)) + `}}`: http.StatusBadRequest,
	} {
		if a := s.ask(t, http.MethodPost, "/v1/jobs", body, "Content-Type: application/json"); a.status != status {
			t.Errorf("answered %d %s, want %d", a.status, a.body, status)
		}
	}
	for _, table := range []string{"once", "twice"} {
		body := `{"url":` + whole + `,"headers":` + headers + `,"table":"` + table + `"}`
		s.ask(t, http.MethodPost, "/v1/jobs", body, "Content-Type: application/json", "Idempotency-Key: one")
	}
	s.ask(t, http.MethodPost, "/download_file", "fileUrl="+url.QueryEscape(s.whole(address, "user")), "Content-Type: application/x-www-form-urlencoded")
}
