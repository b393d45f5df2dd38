package api

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/services/api/refusal"
)

func TestLabelsAreShownAndCarried(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	labels := map[string]string{"team": "billing", "Größe/~": "", strings.Repeat("n", 63): strings.Repeat("v", 255)}
	job := e.create(t, bodyWith(fmt.Sprintf(`"labels":{"team":"billing","Größe/~":"",%q:%q}`, strings.Repeat("n", 63), strings.Repeat("v", 255))))
	if job.Labels == nil || !maps.Equal(*job.Labels, labels) {
		t.Errorf("answered %v", job.Labels)
	}
	carried := decoded[events.Spec](t, answer{body: e.specOf(t, job.ID)})
	if !maps.Equal(carried.Labels, labels) {
		t.Errorf("carried is %v", carried.Labels)
	}
	for _, none := range []string{`"labels":{}`, `"labels":null`} {
		if job := e.create(t, bodyWith(none)); job.Labels != nil {
			t.Errorf("%s: answered %v", none, *job.Labels)
		}
	}
}

// TestLabelsBelongToTheRequest holds that other labels make another request, and that none leave it what it was.
func TestLabelsBelongToTheRequest(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	plain := e.create(t, example, isKey+"plain")
	if same := e.create(t, bodyWith(`"labels":{}`), isKey+"plain"); same.ID != plain.ID {
		t.Error("no labels make another request")
	}
	job := e.create(t, bodyWith(`"labels":{"a":"1","b":"2"}`), isKey+"k")
	if same := e.create(t, bodyWith(`"labels":{"b":"2","a":"1"}`), isKey+"k"); same.ID != job.ID {
		t.Error("labels in another order make another request")
	}
	for _, other := range []string{`"labels":{"a":"1"}`, `"labels":{"a":"1","b":"3"}`, `"ordered":false`} {
		refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(other), isJSON, isKey+"k"), refusal.IdempotencyConflict)
	}
	r := request{source: source{url: mustParse(t, exampleURL)}, table: "t", priority: events.Normal}
	if before := e.api.sealer.Fingerprint(fmt.Appendf(nil, `%q "t" "normal"`, r.url)); r.hash(e.api.sealer) != before {
		t.Error("the hash of a request without labels has changed")
	}
}

func TestLabelsAreRefused(t *testing.T) {
	e := newEnv(t)
	for labels, want := range map[string]string{
		`[]`: "/labels must be of type object, not array",
		`{"a":1,"b":true,"c":null}`: "/labels/a must be of type string, not number\n/labels/b must be of type string, not boolean\n" +
			"/labels/c must be of type string, not null",
		`{"":"x"}`:             "/labels/ must have a name",
		`{"a\r\nHost: b":"x"}`: "/labels/a\r\nHost: b has a name with control characters",
		`{"a":"x\u0085y"}`:     "/labels/a contains control characters",
		`{"a":"\u0000"}`:       "/labels/a contains control characters",
		`{"` + strings.Repeat("ä", 32) + `":"x"}`:            "/labels/" + strings.Repeat("ä", 32) + " has a name of more than 63 bytes",
		`{"a/b":"` + strings.Repeat("ä", 128) + `"}`:         "/labels/a~1b is longer than 255 bytes",
		`{` + strings.TrimPrefix(manyHeaders(21), ",") + `}`: "/labels has more than 20 labels",
	} {
		got := fields(refused(t, e.call(t, http.MethodPost, "/v1/jobs", bodyWith(`"labels":`+labels), isJSON), refusal.InvalidRequest))
		if got != want {
			t.Errorf("%s: told %q, want %q", labels, got, want)
		}
	}
	e.expectStored(t, 0)
}
