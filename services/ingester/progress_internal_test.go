package ingester

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// BenchmarkProgress is what telling how far a load is takes: an event, once a second, and the counting, once per read and
// once per block of rows.
func BenchmarkProgress(b *testing.B) {
	report := newReporter(testenv.StartNATS(b).Bus("ingester").Events, events.NewJob(uuid.NewString(), 1, events.Spec{}), "w1")
	b.Run("event", func(b *testing.B) {
		for b.Loop() {
			if err := report.publish(b.Context(), time.Now(), events.Progress{Figures: report.rated()}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			report.update(func(f *events.Figures) { f.Rows++ })
		}
	})
}
