package api

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/pkg/events"
)

// TestViewEvent shows each type's example of the contract, as documented and with no field that is not meant for users.
func TestViewEvent(t *testing.T) {
	const always = "sequence id job_id type run attempt at by"
	shown := map[events.Type]string{
		events.TypeCreated: "", events.TypeRedriven: "", events.TypeQueued: "", events.TypeCancelRequested: "",
		events.TypeStarted:   "worker",
		events.TypeProgress:  "progress",
		events.TypeRetrying:  "progress error next_attempt_at",
		events.TypeSucceeded: "progress table rows",
		events.TypeFailed:    "progress error",
		events.TypeCancelled: "progress",
	}
	met := map[events.Type]bool{}
	files, err := filepath.Glob("../../pkg/events/testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.Decode(text)
		if err != nil {
			continue // a job
		}
		met[e.Type] = true
		data, err := json.Marshal(viewEvent(4711, e))
		if err != nil {
			t.Fatal(err)
		}
		if err := described().valid("/components/schemas/Event", data); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range fields {
			got = append(got, name)
		}
		want := strings.Fields(always + " " + shown[e.Type])
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: the fields are %v, want %v", file, got, want)
		}
	}
	for _, kind := range events.Types() {
		if !met[kind] {
			t.Errorf("there is no example of %s", kind)
		}
	}
}

func TestViewEventOfAHandOver(t *testing.T) {
	e := events.New("x", events.Position{Run: 1}, noon, "ingester/one", events.Retrying{NextAttemptAt: noon})
	if view := viewEvent(1, e); view.Error != nil || view.NextAttemptAt == nil {
		t.Errorf("shown as %+v", view)
	}
}
