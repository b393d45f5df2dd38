package ingester_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"sluice/pkg/events"
	"sluice/pkg/seal"
	"sluice/services/ingester"
	"sluice/services/ingester/source"
)

// TestSecretSource holds that a source with a query is known again by it and by the key, and that the ledger does not tell.
func TestSecretSource(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	key := sealer(t, seal.NewKey())
	w := e.start("w1", func(_ *ingester.Config, p *ingester.Parts) { p.Sealer = key })
	file := lending(t, &library{content: "n,text\n1,a\n", etag: `"1"`})
	load := func(sealer seal.Sealer, query string) (events.Job, events.Succeeded) {
		job := newJob("", skipping)
		address, err := url.Parse(file.url + query)
		if err == nil {
			job.Spec.Source, err = sealer.Source(job.ID, address, map[string]string{"X-Time": job.ID})
		}
		if err != nil {
			t.Fatal(err)
		}
		e.submit(job)
		end, _ := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
		e.awaitOff()
		return job, end
	}
	loader, base := load(key, "?token=canary-1")
	job, end := load(key, "?token=canary-1") // its headers are others
	e.expectUnchangedSince(loader, base.Result, job, end)
	if _, end := load(key, "?token=canary-2"); end.Result.Outcome != events.OutcomeLoaded {
		t.Errorf("with another query the result is %+v", end.Result)
	}
	var told bool
	if err := e.sql.QueryRow(e.ctx, "SELECT bool_or(l::text LIKE '%canary%') FROM sluice.loads l").Scan(&told); err != nil || told {
		t.Errorf("the ledger tells the secret: %t, %v", told, err)
	}
	e.end(w)
	other := sealer(t, seal.NewKey())
	e.start("w2", func(_ *ingester.Config, p *ingester.Parts) { p.Sealer = other })
	if _, end := load(other, "?token=canary-1"); end.Result.Outcome != events.OutcomeLoaded {
		t.Errorf("with another key the result is %+v", end.Result)
	}
}

// shelf holds uploads by their ids.
type shelf map[string]string

func (s shelf) Open(_ context.Context, id string) (*source.Upload, error) {
	content, found := s[id]
	if !found {
		return nil, fs.ErrNotExist
	}
	sum := sha256.Sum256([]byte(content))
	return &source.Upload{
		ReadCloser: io.NopCloser(strings.NewReader(content)), Name: "trips.csv", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
	}, nil
}

// TestSameFileIsUploadedAgain holds that an upload is known by its name and its content, not by its id.
func TestSameFileIsUploadedAgain(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1", func(_ *ingester.Config, p *ingester.Parts) {
		config := source.DefaultConfig()
		config.Uploads = shelf{"1": "n,text\n1,a\n", "2": "n,text\n1,a\n", "3": "n,text\n2,b\n"}
		opener, err := source.New(config)
		if err != nil {
			t.Fatal(err)
		}
		p.Source = opener
	})
	loader, base := e.load("upload:1", creating)
	job, end := e.load("upload:2", creating)
	e.expectUnchangedSince(loader, base.Result, job, end)
	if end.Figures.Bytes != 0 {
		t.Errorf("%d bytes were read", end.Figures.Bytes)
	}
	if _, end := e.load("upload:3", skipping); end.Result.Outcome != events.OutcomeLoaded {
		t.Errorf("another content: the result is %+v", end.Result)
	}
}
