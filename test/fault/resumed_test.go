package fault

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/internal/testenv"
)

// resumed kills a worker when nine tenths of a file are committed. The next one goes on from there.
func resumed(t *testing.T, random *rand.Rand) {
	s := start(t, random, 1)
	ranges := random.IntN(2) == 0
	from := serve(t, makeFile(random, sized(16, 60)<<20), ranges)
	size := len(from.content)
	gate := from.addGate(size * 9 / 10)
	a := s.submit(from, "resumed", nil)
	conn := s.database.connect(t)
	testenv.Eventually(s.ctx, t, "most of the file is committed", func() error {
		upTo := column[int64](t, conn, `SELECT coalesce(max(end_offset), 0) FROM sluice.batches WHERE job_id = $1`, a.id)
		if upTo[0] < int64(size)*8/10 {
			return fmt.Errorf("%d of %d bytes are", upTo[0], size)
		}
		return nil
	})
	s.workers["a"].kill()
	gate.release()
	s.startWorker(s.workers["a"])
	s.check()
	_, sent := from.totals()
	if most := int64(size) * 13 / 10; ranges && sent > most {
		t.Errorf("%d bytes were sent of a file of %d", sent, size)
	}
	went := column[int64](t, conn, `SELECT coalesce((result->>'resumed_from')::bigint, 0) FROM sluice.loads WHERE job_id = $1`, a.id)
	if went[0] == 0 {
		t.Error("the result does not say from where on the load was resumed")
	}
}
