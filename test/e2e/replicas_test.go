package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testenv"
)

// TestReplicas runs two APIs, two replicas of status and four ingesters, and holds that of many small jobs, created by
// several clients at once through both APIs, each ends, is loaded once and whole, and is told alike by everyone.
func TestReplicas(t *testing.T) {
	t.Parallel()
	const jobs, clients, rows = 400, 4, 20
	f := startFleet(t, "one", "two", "three", "four")
	second := f.awaitAPI(t, f.runAPI(t))
	run(t, statusCommand, f.env)
	url := testenv.Files(t, map[string]string{"/small.csv": "n\n" + strings.Repeat("x\n", rows)}) + "/small.csv"

	ids := make([]string, jobs)
	var work sync.WaitGroup
	for client := range clients {
		work.Go(func() {
			api := []*instance{f.instance, second}[client%2]
			for n := client; n < jobs; n += clients {
				ids[n] = api.submit(t, map[string]string{
					"url": url, "table": fmt.Sprintf("t%d", n), "priority": []string{"normal", "urgent"}[n/2%2],
				}).ID
			}
		})
	}
	work.Wait()
	begun := time.Now()
	for n, id := range ids {
		ended := []*instance{f.instance, second}[n%2].awaitState(t, id, "succeeded")
		if ended.Attempt != 1 || ended.Progress.Rows != rows {
			t.Errorf("job %d is %+v", n, ended)
		}
	}
	t.Logf("%d jobs had ended %s after the last one was created", jobs, time.Since(begun).Round(time.Millisecond))

	conn := connect(t, f.database)
	counts := column[string](t, conn, `SELECT count(*) || ' ' || count(DISTINCT table_name) || ' ' || min(fence) || ' ' || max(fence)
		FROM sluice.loads WHERE state = 'committed'`)
	if want := fmt.Sprintf("%d %d 1 1", jobs, jobs); counts[0] != want {
		t.Errorf("committed jobs, tables, lowest and highest fence are %s, want %s", counts[0], want)
	}
	expectNoStaging(t, conn)
	total := column[int64](t, conn, `SELECT sum((xpath('/row/c/text()',
		query_to_xml('SELECT count(*) AS c FROM public.' || quote_ident(tablename), false, true, '')))[1]::text::bigint)::bigint
		FROM pg_tables WHERE schemaname = 'public'`)
	if total[0] != jobs*rows {
		t.Errorf("%d rows were loaded, want %d", total[0], jobs*rows)
	}
}
