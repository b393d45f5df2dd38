package postgres_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/postgres"
)

// BenchmarkBatches loads the same rows in one transaction and in batches, each with its ledger row under the fence, over
// one connection.
func BenchmarkBatches(b *testing.B) {
	const size, columns = 64 << 20, 18
	ctx := testenv.Context(b)
	db, err := postgres.Connect(ctx, testenv.Database(b), 4)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	if err := db.Migrate(ctx); err != nil {
		b.Fatal(err)
	}
	row := append(bytes.Repeat([]byte("12.50\t"), columns-1), "2024-01-01\n"...)
	for _, way := range []struct {
		name  string
		bytes int
	}{{"one transaction", 1 << 40}, {"16 MiB", 16 << 20}, {"8 MiB", 8 << 20}, {"4 MiB", 4 << 20}} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				load, _, err := db.Open(ctx, postgres.Claim{JobID: uuid.NewString(), Run: 1, Attempt: 1, Spec: events.Spec{Schema: "public"}})
				if err != nil {
					b.Fatal(err)
				}
				if err := load.Prepare(ctx, postgres.File{Columns: numbered(columns)}); err != nil {
					b.Fatal(err)
				}
				copier := load.Copier(ctx, postgres.CopierConfig{Connections: 1, BatchBytes: way.bytes})
				end := int64(0)
				for end < size {
					block := postgres.Block{Data: copier.Buffer(), Delimiter: '\t'}
					for len(block.Data)+len(row) <= cap(block.Data) {
						block.Data = append(block.Data, row...)
						block.Count++
					}
					end += int64(len(block.Data))
					block.End = end
					if err := copier.Write(block); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := copier.Publish(end, func() postgres.Publication {
					return postgres.Publication{Table: "t" + strconv.FormatInt(time.Now().UnixNano(), 10), At: time.Now()}
				}); err != nil {
					b.Fatal(err)
				}
				copier.Close()
			}
		})
	}
}
