package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestBadInput holds that each mistake is answered with its own code, and leaves nothing behind.
func TestBadInput(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t), "--slots", "8")
	t.Run("refused at once", func(t *testing.T) { badRequests(t, i) })
	t.Run("failed jobs", func(t *testing.T) { badSources(t, i) })
	t.Run("retried", func(t *testing.T) { unreachable(t, i) })
	conn := i.connect(t)
	if made := strings.Join(tables(t, conn), " "); made != "header_only" {
		t.Errorf("the tables are %s", made)
	}
	expectNoStaging(t, conn)
}

func badRequests(t *testing.T, i *instance) {
	for name, form := range map[string]url.Values{
		"no url":     {},
		"empty url":  {"fileUrl": {""}},
		"unparsable": {"fileUrl": {"http://%zz"}},
		"ftp":        {"fileUrl": {"ftp://example.com/a.csv"}},
		"a path":     {"fileUrl": {"tripsdata.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := i.call(t, http.MethodPost, "/download_file", form.Encode(), "Content-Type: application/x-www-form-urlencoded")
			refused(t, a, http.StatusBadRequest, "invalid_request")
			a = i.call(t, http.MethodPost, "/v1/jobs", fmt.Sprintf(`{"url":%q}`, form.Get("fileUrl")), "Content-Type: application/json")
			refused(t, a, http.StatusBadRequest, "invalid_request")
		})
	}
	for _, id := range []string{"x", "00000000-0000-4000-8000-000000000000"} {
		refused(t, i.get(t, "/job_status?jobId="+id), http.StatusNotFound, "job_not_found")
		refused(t, i.get(t, "/v1/jobs/"+id), http.StatusNotFound, "job_not_found")
		refused(t, i.get(t, "/v1/jobs/"+id+"/result"), http.StatusNotFound, "job_not_found")
	}
}

func badSources(t *testing.T, i *instance) {
	server := testenv.Files(t, map[string]string{
		"/empty.csv":        "",
		"/page.csv":         "<!DOCTYPE html><title>Log in</title>",
		"/header_only.csv":  "a,b\n",
		"/ragged.csv":       "a,b\n1,2\n3,4,5\n",
		"/stray.csv":        "a,b\n1,\"2\"x,\"3\n",
		"/unterminated.csv": "a,b\n1,2\n3,\"4\n5,6\n",
	})
	for name, tt := range map[string]struct {
		url   string
		code  string // "" for success
		place string // line, column and offset
	}{
		"404":               {server + "/gone.csv", "source_not_found", ""},
		"an empty file":     {server + "/empty.csv", "empty_source", ""},
		"a web page":        {server + "/page.csv", "not_csv", ""},
		"a header only":     {server + "/header_only.csv", "", ""},
		"too many fields":   {server + "/ragged.csv", "too_many_fields", "3 3 12"},
		"a stray quote":     {server + "/stray.csv", "stray_quote", "2 2 8"},
		"an open quote":     {server + "/unterminated.csv", "unterminated_quote", "3 2 10"},
		"a private address": {"http://10.0.0.1/a.csv", "source_forbidden", ""},
		"metadata":          {"http://169.254.169.254/latest/meta-data", "source_forbidden", ""},
		"a private name":    {"http://10.0.0.1.nip.invalid@10.0.0.1:8000/a.csv", "source_forbidden", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fields := map[string]any{"url": tt.url}
			if tt.code == "" {
				fields["table"] = "header_only"
			}
			if tt.code == "too_many_fields" {
				fields["extra_fields"] = "reject"
			}
			id := i.submit(t, fields).ID
			if tt.code == "" {
				if j := i.awaitState(t, id, "succeeded"); j.Progress.Rows != 0 {
					t.Errorf("it has %d rows", j.Progress.Rows)
				}
				return
			}
			j := i.awaitState(t, id, "failed")
			if j.Error == nil || j.Error.Code != tt.code || j.Error.Retryable || j.Error.Message == "" || j.Attempt != 1 {
				t.Errorf("attempt %d failed with %+v, want %s", j.Attempt, j.Error, tt.code)
			}
			if at := place(j.Error); tt.place != "" && at != tt.place {
				t.Errorf("at %s, want %s", at, tt.place)
			}
			if status := got[struct{ State string }](t, i, "/job_status?jobId="+id); status.State != "failed" {
				t.Errorf("in the first design's words it is %s", status.State)
			}
			refused(t, i.get(t, "/v1/jobs/"+id+"/result"), http.StatusConflict, "no_result")
		})
	}
	t.Run("an unknown host", func(t *testing.T) {
		id := i.submit(t, map[string]any{"url": "http://nowhere.invalid/a.csv"}).ID
		i.await(testenv.Context(t), t, id, "tells that there is no such host", func(j job) bool {
			// Where no name server answers, nobody can know that the name does not exist.
			return j.Error != nil && (j.State == "failed" && j.Error.Code == "source_not_found" ||
				j.State == "retrying" && j.Error.Code == "source_unreachable")
		})
	})
}

func place(f *failure) string {
	if f == nil || f.ByteOffset == nil {
		return "no place"
	}
	return fmt.Sprint(f.Line, f.Column, *f.ByteOffset)
}

// unreachable holds that what may pass is tried again, and that the job says why it waits.
func unreachable(t *testing.T, i *instance) {
	id := i.submit(t, map[string]any{"url": "http://" + deadAddress(t) + "/a.csv"}).ID
	j := i.awaitState(t, id, "retrying")
	if j.Error == nil || j.Error.Code != "source_unreachable" || !j.Error.Retryable || j.Attempt != 1 || j.NextAttemptAt == nil {
		t.Errorf("it waits as %+v with %+v", j, j.Error)
	}
	if status := got[struct{ State string }](t, i, "/job_status?jobId="+id); status.State != "retry" {
		t.Errorf("in the first design's words it is %s", status.State)
	}
	refused(t, i.get(t, "/v1/jobs/"+id+"/result"), http.StatusConflict, "not_finished")
}
