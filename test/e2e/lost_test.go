package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/testenv"
)

// TestNATSLosesEverything deletes all that NATS has stored, and holds that what Postgres knows comes back.
func TestNATSLosesEverything(t *testing.T) {
	t.Parallel()
	dir := testenv.Dir(t)
	i := up(t, dir)
	url := testenv.Files(t, map[string]string{"/a.csv": "a\n1\n", "/b.csv": "a\n\"1\n"})
	loaded := i.load(t, url+"/a.csv", "kept")
	failed := i.submit(t, map[string]any{"url": url + "/b.csv", "table": "never"}).ID
	before := i.awaitState(t, failed, "failed")
	i.stop(t)
	if err := os.RemoveAll(filepath.Join(dir, "nats")); err != nil {
		t.Fatal(err)
	}
	i = up(t, dir)
	testenv.Eventually(testenv.Context(t), t, "the jobs come back", func() error {
		for _, id := range []string{loaded.ID, failed} {
			if a := i.get(t, "/v1/jobs/"+id); a.status != http.StatusOK {
				return errorOf(a)
			}
		}
		return nil
	})
	if again := i.awaitState(t, loaded.ID, "succeeded"); again.Table != "kept" || again.Progress.Rows != 1 || again.Source != loaded.Source {
		t.Errorf("it was\n%+v and is\n%+v", loaded, again)
	}
	if again := i.awaitState(t, failed, "failed"); again.Error == nil || *again.Error.ByteOffset != *before.Error.ByteOffset {
		t.Errorf("it was\n%+v and is\n%+v", before, again)
	}
}

func errorOf(a answer) error { return &answered{a} }

type answered struct{ answer }

func (a *answered) Error() string { return http.StatusText(a.status) + " " + string(a.body) }
