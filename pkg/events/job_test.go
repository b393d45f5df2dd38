package events_test

import (
	"reflect"
	"testing"

	"sluice/pkg/events"
)

// TestNullKeepsWhatWasSaid holds that "nothing is NULL" does not become "nothing was said", nor the other way round.
func TestNullKeepsWhatWasSaid(t *testing.T) {
	for name, null := range map[string][]string{"not stated": nil, "nothing": {}, "the empty field": {""}, "words": {"NA", `\N`}} {
		t.Run(name, func(t *testing.T) {
			job, err := events.DecodeJob(encode(t, events.NewJob("j", 1, events.Spec{Null: null})))
			if err != nil {
				t.Fatal(err)
			}
			if got := job.Spec.Null; !reflect.DeepEqual(got, null) {
				t.Errorf("came back as %#v, want %#v", got, null)
			}
		})
	}
}
