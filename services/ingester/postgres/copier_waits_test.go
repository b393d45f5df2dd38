package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// Whoever is faster than the database waits, before the memory is full.
func TestWriterWaitsForTheDatabase(t *testing.T) {
	const many = 400
	for name, tt := range map[string]struct {
		config    postgres.CopierConfig
		from, to  int64 // blocks that are taken
		blockSize int
	}{
		"one long batch": {postgres.CopierConfig{Connections: 1, BatchBytes: 1 << 30}, 48, 56, postgres.BlockSize},
		"short batches":  {postgres.CopierConfig{Connections: 3, BatchBytes: 1}, 3, 3, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			load := w.prepared(w.db)
			w.gates()
			open := w.shut(1)
			ctx := testenv.Context(t)
			c := w.writer(ctx, load, tt.config)
			var written atomic.Int64
			ended := make(chan error, 1)
			go func() {
				for n := range int64(many) {
					data := append(append(c.Buffer(), "held 1\n"...), bytes.Repeat([]byte{'x'}, tt.blockSize-8)...)
					c.end += 10
					if err := c.Write(postgres.Block{Data: append(data, '\n'), Delimiter: ',', Count: 2, FirstLine: 2 * n, End: c.end}); err != nil {
						ended <- err
						return
					}
					written.Add(1)
				}
				ended <- nil
			}()
			before, still := int64(-1), 0
			testenv.Eventually(ctx, t, "the writer waits", func() error {
				now := written.Load()
				if still++; now != before || now < tt.from {
					before, still = now, 0
				}
				if still < 10 {
					return fmt.Errorf("%d blocks are written", now)
				}
				return nil
			})
			if before > tt.to {
				t.Errorf("%d blocks are written, want at most %d", before, tt.to)
			}
			open()
			w.must(<-ended)
			c.wantPublished(2 * many)
		})
	}
}

// A batch waits for no connection but its own, however few there are.
func TestSmallPoolServesJobsOfManyBatches(t *testing.T) {
	w := newWorld(t)
	ctx := testenv.Context(t)
	db, err := postgres.Connect(ctx, w.url, 2)
	w.must(err)
	t.Cleanup(db.Close)
	const jobs = 8
	ended := make(chan error, jobs)
	for n := range jobs {
		go func() { ended <- jobOfBatches(ctx, db, "t"+strconv.Itoa(n%4), 6) }() // each name is wanted twice
	}
	for range jobs {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	w.wantList("committed", []string{strconv.Itoa(jobs)}, "SELECT count(*)::text FROM sluice.loads WHERE state = 'committed'")
	w.wantList("batches", []string{strconv.Itoa(jobs * 6)}, "SELECT count(*)::text FROM sluice.batches")
}

func jobOfBatches(ctx context.Context, db *postgres.Database, table string, batches int64) error {
	load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: events.Spec{Schema: "public"}})
	if err != nil {
		return err
	}
	if err := load.Prepare(ctx, postgres.File{Columns: columns("value")}); err != nil {
		return err
	}
	c := load.Copier(ctx, postgres.CopierConfig{Connections: 3, BatchBytes: 1})
	defer c.Close()
	for n := range batches {
		if err := c.Write(block(n, (n+1)*10, [][]byte{[]byte("a")})); err != nil {
			return err
		}
	}
	outcome, err := c.Publish(batches*10, func() postgres.Publication {
		return postgres.Publication{Table: table, Derived: true, At: time.Now()}
	})
	if err == nil && outcome.Result.Rows != batches {
		err = fmt.Errorf("%d rows are published", outcome.Result.Rows)
	}
	return err
}
