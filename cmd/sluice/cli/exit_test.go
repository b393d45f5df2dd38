package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"sluice/pkg/client"
)

func TestExit(t *testing.T) {
	problem := func(status int) error {
		return fmt.Errorf("asking: %w", &client.Problem{Title: "T", Status: status, Code: "c"})
	}
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errors.New("a.csv: no such file"), 1, "no such file"},
		{errSilent, 1, ""},
		{&usage{"sluice ls", errors.New("unknown flag: --x")}, 2, "unknown flag: --x; see sluice ls --help"},
		{&ended{client.Job{ID: "j", State: client.JobStateFailed, Error: &client.JobError{Code: "c", Message: "why\x1b"}}}, 3, `job j failed: why\x1b [c]`},
		{&ended{client.Job{ID: "j", State: client.JobStateCancelled}}, 4, "sluice retry j runs it again"},
		{&client.Unreachable{URL: "http://x", Err: io.EOF}, 5, "name another one with --url or SLUICE_URL"},
		{&client.Unexpected{Method: "GET", URL: "http://x", Reason: "HTML"}, 5, "is the address that of Sluice's API?"},
		{problem(404), 6, "T [c]"},
		{problem(401), 6, "put a key of this API into SLUICE_API_KEY"},
		{problem(429), 7, "T [c]"},
		{problem(503), 7, "T [c]"},
		{&interrupted{"j"}, 130, "sluice cancel j ends it"},
		{fmt.Errorf("uploading: %w", context.Canceled), 130, "interrupted"},
	} {
		if code := exitCode(c.err); code != c.code {
			t.Errorf("%v: %d, want %d", c.err, code, c.code)
		}
		if text := message(c.err); !strings.Contains(text, c.says) || (text == "") != (c.says == "") {
			t.Errorf("%v: it says %q, want %q", c.err, text, c.says)
		}
	}
}
