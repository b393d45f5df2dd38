package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
	"sluice/services/status"
)

// TestReplicas runs two APIs, two replicas of status and four ingesters, and holds that of many small jobs, created by
// several clients at once through both APIs, each ends, is loaded once and whole, and is told alike by everyone. It is
// not parallel: it keeps the machine busy for longer than tests that hold a time would stand.
func TestReplicas(t *testing.T) {
	const jobs, clients, rows = 2000, 8, 20
	f := startFleet(t, "one", "two", "three", "four")
	apis := []*instance{f.instance, f.awaitAPI(t, f.runAPI(t))}
	run(t, statusCommand, f.env)
	url := testenv.Files(t, map[string]string{"/small.csv": "n\n" + strings.Repeat("x\n", rows)}) + "/small.csv"

	begun := time.Now()
	ids := make([]string, jobs)
	var work sync.WaitGroup
	for client := range clients {
		work.Go(func() {
			for n := client; n < jobs; n += clients {
				ids[n] = apis[client%2].submit(t, map[string]any{
					"url": url, "table": fmt.Sprintf("t%d", n), "priority": []string{"normal", "urgent"}[n/2%2],
				}).ID
			}
		})
	}
	work.Wait()
	created := time.Since(begun)
	for left := jobs - 250; left >= 0; left -= 250 { // as long as it takes, if only it goes on
		f.awaitQueue(t, uint64(left))
	}
	t.Logf("%d jobs were created within %s and ended within %s", jobs, created.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))

	slices.Sort(ids)
	for _, api := range apis {
		for n, j := range api.awaitEnds(t, jobs) {
			if j.ID != ids[n] || j.State != "succeeded" || j.Attempt != 1 || j.Progress.Rows != rows {
				t.Errorf("job %s is %+v", ids[n], j)
			}
		}
	}
	f.expectLoaded(t, jobs, rows)
	f.expectRefolded(t, jobs)
}

// awaitQueue waits until no more than so many jobs are on the queue.
func (f *fleet) awaitQueue(t *testing.T, most uint64) {
	t.Helper()
	ctx := testenv.Context(t)
	js, err := jetstream.New(f.bus.Conn)
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(ctx, t, "a shorter queue", func() error {
		queue, err := js.Stream(ctx, bus.JobsStream)
		if err == nil && queue.CachedInfo().State.Msgs > most {
			err = fmt.Errorf("%d jobs are on it, want at most %d", queue.CachedInfo().State.Msgs, most)
		}
		return err
	})
}

// awaitEnds waits until all jobs are listed as ended, and returns them in the order of their ids.
func (i *instance) awaitEnds(t *testing.T, jobs int) []job {
	t.Helper()
	var all []job
	testenv.Eventually(testenv.Context(t), t, "the end of all jobs", func() error {
		all = i.list(t)
		if under := slices.IndexFunc(all, func(j job) bool { return j.FinishedAt == nil }); under >= 0 {
			return fmt.Errorf("job %s is %s", all[under].ID, all[under].State)
		}
		return nil
	})
	if len(all) != jobs {
		t.Fatalf("%d jobs are listed, want %d", len(all), jobs)
	}
	slices.SortFunc(all, func(a, b job) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// list returns all jobs.
func (i *instance) list(t *testing.T) []job {
	t.Helper()
	var all []job
	for cursor := ""; ; {
		page := got[struct {
			Jobs       []job  `json:"jobs"`
			NextCursor string `json:"next_cursor"`
		}](t, i, "/v1/jobs?limit=1000"+cursor)
		all = append(all, page.Jobs...)
		if page.NextCursor == "" {
			return all
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// expectLoaded checks that every job was loaded once, into a table of its own.
func (f *fleet) expectLoaded(t *testing.T, jobs, rows int) {
	t.Helper()
	conn := connect(t, f.database)
	counts := column[string](t, conn, `SELECT count(*) || ' ' || count(DISTINCT table_name) || ' ' || min(fence) || ' ' || max(fence)
		FROM sluice.loads WHERE state = 'committed'`)
	if want := fmt.Sprintf("%d %d 1 1", jobs, jobs); counts[0] != want {
		t.Errorf("committed jobs, tables, lowest and highest fence are %s, want %s", counts[0], want)
	}
	expectNoStaging(t, conn)
	sizes := column[string](t, conn, `SELECT count(*) || ' tables of ' || size || ' rows' FROM (
		SELECT (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM public.' || quote_ident(tablename), false, true, '')))[1]::text AS size
		FROM pg_tables WHERE schemaname = 'public') AS sized GROUP BY size`)
	if want := fmt.Sprintf("%d tables of %d rows", jobs, rows); len(sizes) != 1 || sizes[0] != want {
		t.Errorf("there are %s, want %s", strings.Join(sizes, ", "), want)
	}
}

// expectRefolded waits until the replicas of status have folded everything, and checks that what they wrote is what the
// events add up to.
func (f *fleet) expectRefolded(t *testing.T, jobs int) {
	t.Helper()
	ctx := testenv.Context(t)
	testenv.Eventually(ctx, t, "folding", func() error {
		fold, err := f.bus.Events.FoldConsumer(ctx)
		if err != nil {
			return err
		}
		if info := fold.CachedInfo(); info.NumPending > 0 || info.NumAckPending > 0 {
			return fmt.Errorf("%d events are to be delivered and %d to be acknowledged", info.NumPending, info.NumAckPending)
		}
		return nil
	})
	documents, err := status.Refold(ctx, f.bus)
	if err != nil {
		t.Fatal(err)
	}
	divergent, err := status.Divergent(ctx, f.bus, documents)
	if err != nil || len(divergent) > 0 || len(documents) != jobs {
		t.Errorf("of %d documents, %v are not what the events add up to (%v)", len(documents), divergent, err)
	}
}
