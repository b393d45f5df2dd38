package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestFirstLoad does what the announcement says, with the commands themselves.
func TestFirstLoad(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	if text := i.Stdout.String(); !regexp.MustCompile(`(?m)^READY$`).MatchString(text) {
		t.Error("READY does not stand on a line of its own")
	}
	printed := regexp.MustCompile(`(?m)^ *(curl .*)$`).FindString(i.Stdout.String())
	want := fmt.Sprintf(`curl -d "fileUrl=http://localhost:%s/tripsdata.csv" -X POST localhost:%s/download_file`, port(t, i.files), port(t, i.api))
	if strings.TrimSpace(printed) != want {
		t.Fatalf("announced is %q, want %q", printed, want)
	}
	var made struct{ JobID string }
	if err := json.Unmarshal(shell(t, want), &made); err != nil || made.JobID == "" {
		t.Fatalf("no job was made: %v", err)
	}
	ctx := testenv.Context(t)
	testenv.Eventually(ctx, t, "the sample is loaded", func() error {
		var status struct{ JobID, State string }
		if err := json.Unmarshal(shell(t, fmt.Sprintf(`curl "http://localhost:%s/job_status?jobId=%s"`, port(t, i.api), made.JobID)), &status); err != nil {
			t.Fatal(err)
		}
		switch {
		case status.JobID != made.JobID || status.State == "failed":
			t.Fatalf("the status is %+v", status)
		case status.State != "completed":
			return fmt.Errorf("it is %s", status.State)
		}
		return nil
	})

	j := got[job](t, i, "/v1/jobs/"+made.JobID)
	conn := i.connect(t)
	if want := fmt.Sprintf("tripsdata_%d", j.CreatedAt.Unix()); j.Table != want || strings.Join(tables(t, conn), " ") != want {
		t.Errorf("the table is %s, want %s; there are %v", j.Table, want, tables(t, conn))
	}
	sample, err := os.ReadFile(filepath.Join(i.dir, "files", "tripsdata.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sortedLines(csvOf(t, conn, j.Table)), sortedLines(sample)) { // batches side by side keep no order
		t.Error("the table is not what the file is")
	}
	if types := column[string](t, conn, `SELECT DISTINCT data_type::text FROM information_schema.columns WHERE table_schema = 'public'`); strings.Join(types, " ") != "text" {
		t.Errorf("the columns are of type %v", types)
	}
	expectNoStaging(t, conn)
}

// sortedLines are the lines of a text without line ends in quotes.
func sortedLines(text []byte) []string {
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return lines
}

// shell runs a command line.
func shell(t testing.TB, line string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(testenv.Context(t), "sh", "-c", line)
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", line, err, output, stderr.String())
	}
	return output
}

func port(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	_, p, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
