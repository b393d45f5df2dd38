package up

import (
	"context"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/internal/transcript"
)

func TestEnding(t *testing.T) {
	var said transcript.Transcript
	ctx, end := context.WithCancel(t.Context())
	e := tellEnding(ctx, &said)
	end()
	for _, text := range []string{"Ending: ", "Waiting for jobs to be handed over and answers to be sent.\n"} {
		if err := said.Await(testenv.Context(t), text, nil); err != nil {
			t.Fatalf("waiting for %q: %v", text, err)
		}
	}
	e.waitFor("NATS")
	if err := said.Await(testenv.Context(t), "Waiting for NATS.\n", nil); err != nil {
		t.Fatal(err)
	}
	e.waitFor("Postgres")
	e.close()
	if text := said.String(); strings.Count(text, "\n") != 3 || !strings.HasPrefix(text, "Ending: ") {
		t.Errorf("it says %q", text)
	}
}

// TestEndingByItself holds that a run which fails does not say that it was ended.
func TestEndingByItself(t *testing.T) {
	var said transcript.Transcript
	e := tellEnding(t.Context(), &said)
	e.waitFor("NATS")
	e.close()
	if text := said.String(); text != "" {
		t.Errorf("it says %q", text)
	}
}
