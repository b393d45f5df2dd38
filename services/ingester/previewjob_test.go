package ingester_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// TestPreviewIsWhatAJobFinds holds that a preview of a whole file tells the dialect, the columns and the types that a job which
// infers them ends with.
func TestPreviewIsWhatAJobFinds(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	web := testenv.StartWeb(t)
	r := rand.New(rand.NewPCG(3, 4))
	infer := func(s *events.Spec) { s.Types.Infer = true }
	for n := range 40 {
		content := randomFile(r)
		url := web.On(fmt.Sprintf("/%d", n), testenv.File(content))
		found := e.preview(aboutURL(url))
		job := newJob(url, infer)
		e.submit(job)
		end := e.awaitTerminal(job)
		done, ok := end.Data.(events.Succeeded)
		if !ok || found.Failure != nil {
			t.Fatalf("%q: the job ended as %+v, the preview is %+v (%v)", content, end.Data, found, found.Failure)
		}
		if !found.Complete || found.RowsRead != done.Result.Rows || found.BytesRead != done.Result.Bytes ||
			!reflect.DeepEqual(found.Dialect, done.Result.Dialect) || !reflect.DeepEqual(found.Columns, done.Result.Columns) {
			t.Errorf("%q: the job found\n%+v\n%+v, and the preview\n%+v\n%+v",
				content, done.Result.Dialect, done.Result.Columns, found.Dialect, found.Columns)
		}
	}
}

// randomFile has some columns, each with values of some kind, written in some dialect.
func randomFile(r *rand.Rand) string {
	kinds := []func() string{
		func() string { return fmt.Sprint(r.IntN(100)) },
		func() string { return fmt.Sprint(r.Int64()) },
		func() string { return fmt.Sprintf("%.2f", r.Float64()) },
		func() string { return fmt.Sprintf("%05d", r.IntN(100)) },
		func() string { return []string{"t", "f"}[r.IntN(2)] },
		func() string { return fmt.Sprintf("2024-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28)) },
		func() string { return fmt.Sprintf("2024-01-%02dT10:%02d:00Z", 1+r.IntN(28), r.IntN(60)) },
		func() string { return fmt.Sprintf("2024-01-%02d 10:%02d:00", 1+r.IntN(28), r.IntN(60)) },
		func() string { return fmt.Sprintf("10:%02d:00.5", r.IntN(60)) },
		func() string { return fmt.Sprintf(`"words, ""%d"" of them"`, r.IntN(10)) },
		func() string { return fmt.Sprintf(`"{""n"": %d}"`, r.IntN(10)) },
		func() string { return []string{"Zürich", "plain", `""`}[r.IntN(3)] },
		func() string { return "" },
	}
	delimiter, end := []string{",", ";", "\t", "|"}[r.IntN(4)], []string{"\n", "\r\n", "\r"}[r.IntN(3)]
	var columns []func() string
	for range 2 + r.IntN(6) {
		columns = append(columns, kinds[r.IntN(len(kinds))])
	}
	var b strings.Builder
	for n := range columns {
		fmt.Fprintf(&b, "%sname %d", delimiter[:min(n, 1)], n)
	}
	for range 1 + r.IntN(60) {
		b.WriteString(end)
		for n, value := range columns {
			b.WriteString(delimiter[:min(n, 1)])
			if r.IntN(20) > 0 {
				b.WriteString(value())
			}
		}
	}
	return b.String() + end
}
