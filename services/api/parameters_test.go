package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sluice/services/api/contract"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// fields writes the fields that a problem names, as "pointer detail" lines.
func fields(p openapi.Problem) string {
	if p.Errors == nil {
		return ""
	}
	lines := make([]string, len(*p.Errors))
	for i, f := range *p.Errors {
		lines[i] = f.Pointer + " " + f.Detail
	}
	return strings.Join(lines, "\n")
}

// placeholder is where a parameter stands in a path, as OpenAPI writes it.
var placeholder = regexp.MustCompile(`\{\w+\}`)

// TestUnknownParameters holds that every call refuses a query parameter that it does not have, but for those of the first design.
func TestUnknownParameters(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	all, err := contract.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all.Operations() {
		target := placeholder.ReplaceAllString(o.Template, "x")
		if o.Tolerant {
			a := e.call(t, o.Method, target+"?jobId=x&unknown=1", "fileUrl="+exampleURL, isForm)
			if a.status == http.StatusBadRequest {
				t.Errorf("%s: answered %d %s", o.ID, a.status, a.body)
			}
			continue
		}
		p := refused(t, e.call(t, o.Method, target+"?unknown=1&other", "{}", isJSON), refusal.InvalidRequest)
		if got := fields(p); !strings.HasPrefix(got, "other is not a parameter of this call; it has ") || !strings.Contains(got, "\nunknown is not") {
			t.Errorf("%s: told %s", o.ID, got)
		}
		refused(t, e.call(t, o.Method, target+"?a=%zz", "{}", isJSON), refusal.InvalidRequest)
		refused(t, e.call(t, o.Method, target+"?a;b", "{}", isJSON), refusal.InvalidRequest)
	}
}

func TestParametersAreRefused(t *testing.T) {
	e := newEnv(t)
	e.playStatus(t)
	for target, want := range map[string]string{
		"/v1/jobs?limit=0":                                            "limit must be 1 to 1000",
		"/v1/jobs?limit=x":                                            "limit must be a whole number",
		"/v1/jobs?limit=":                                             "limit must be a whole number",
		"/v1/jobs?limit=+5":                                           "limit must be a whole number",
		"/v1/jobs?limit=1&limit=2":                                    "limit is given more than once",
		"/v1/jobs?limit=1&limit=1":                                    "limit is given more than once",
		"/v1/jobs?state=done":                                         "state must be queued, running, retrying, cancelling, succeeded, failed or cancelled",
		"/v1/jobs?priority=":                                          "priority must be urgent or normal",
		"/v1/jobs?table=":                                             "table must not be empty",
		"/v1/jobs?table=" + strings.Repeat("%C3%A4", 64):              "table is longer than 63 characters",
		"/v1/jobs?table=a%00":                                         "table contains NUL or what is not UTF-8",
		"/v1/jobs?source=%ff":                                         "source contains NUL or what is not UTF-8",
		"/v1/jobs?created_after=today":                                "created_after must be a time such as 2026-03-02T12:00:00Z",
		"/v1/jobs?created_after=2026-03-02T12:00:00+01:00":            "created_after must be a time such as 2026-03-02T12:00:00Z; in an address, + is written as %2B",
		"/v1/jobs?cursor=":                                            "cursor must not be empty",
		"/v1/jobs/x?wait=61s":                                         "wait must be written like 30s",
		"/v1/jobs/x?wait=30":                                          "wait must be written like 30s",
		"/v1/datasets/t/rows?limit=99999999999999999999":              "limit must be between -9223372036854775808 and 9223372036854775807",
		"/v1/datasets/t/rows?limit=0":                                 "limit must be 1 or more",
		"/v1/datasets/t/rows?formula_safe=1":                          "formula_safe must be true or false",
		"/v1/datasets/t/rows?format=xml":                              "format must be json, ndjson or csv",
		"/v1/datasets/t/rows?filter=a&filter=":                        "filter must not be empty",
		"/v1/datasets/t/rows?" + strings.Repeat("filter=a:eq:1&", 21): "filter has more than 20 items",
		"/v1/jobs?limit=0&state=x&cursor=":                            "state must be queued, running, retrying, cancelling, succeeded, failed or cancelled\nlimit must be 1 to 1000\ncursor must not be empty",
		"/job_status":                                                 "jobId is missing",
		"/job_status?jobId=a&jobId=b":                                 "jobId is given more than once",
	} {
		if got := fields(refused(t, e.get(t, target), refusal.InvalidRequest)); got != want {
			t.Errorf("%s: told %q, want %q", target, got, want)
		}
	}
	again := e.call(t, http.MethodGet, "/v1/jobs/x/events", "", "Last-Event-ID: 1", "Last-Event-ID: 2")
	if got := fields(refused(t, again, refusal.InvalidRequest)); got != "Last-Event-ID is given more than once" {
		t.Errorf("told %q", got)
	}
}
