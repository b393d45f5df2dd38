package e2e

import (
	"strings"
	"syscall"
	"testing"

	"sluice/internal/testenv"
)

// TestRestart ends sluice in the middle of a job, in three ways, and starts it again on what it has left.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end      func(*process)
		code     int
		attempts int // that the job then has
	}{
		"SIGTERM": {func(p *process) { p.Signal(syscall.SIGTERM) }, 0, 1},
		"Ctrl-C":  {(*process).interrupt, 0, 1},
		"SIGKILL": {(*process).kill, -1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, slow := testenv.Dir(t), serveSlowly(t)
			first := up(t, dir)
			early := first.load(t, testenv.Files(t, map[string]string{"/early.csv": "a\n1\n2\n"})+"/early.csv", "early")
			id := first.submit(t, map[string]any{"url": slow.url, "table": "slow"}).ID
			first.await(testenv.Context(t), t, id, "is halfway", func(j job) bool { return j.State == "running" && j.Progress.Rows > 0 })

			tt.end(first.process)
			if code := first.wait(t, endTime); code != tt.code {
				t.Errorf("sluice ended with %d, want %d", code, tt.code)
			}
			slow.goOn()
			second := up(t, dir)
			j := second.awaitState(t, id, "succeeded")
			if j.Attempt != tt.attempts || j.Progress.Rows != slowRows {
				t.Errorf("attempt %d loaded %d rows, want attempt %d and %d rows", j.Attempt, j.Progress.Rows, tt.attempts, slowRows)
			}
			conn := second.connect(t)
			rows := column[int64](t, conn, `SELECT count(*) FROM public.slow UNION ALL SELECT count(DISTINCT n) FROM public.slow
				UNION ALL SELECT sum(length(text)) FROM public.slow`)
			if rows[0] != slowRows || rows[1] != slowRows || rows[2] != slowRows/100*4950 {
				t.Errorf("%d rows, %d different ones, with %d characters", rows[0], rows[1], rows[2])
			}
			if all := strings.Join(tables(t, conn), " "); all != "early slow" {
				t.Errorf("the tables are %s", all)
			}
			expectNoStaging(t, conn)
			if again := got[job](t, second, early.Links.Self); again.State != "succeeded" || again.Progress.Rows != 2 {
				t.Errorf("the earlier job is %+v", again)
			}
			second.stop(t)
		})
	}
}
