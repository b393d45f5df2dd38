package api

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/services/api/openapi"
)

// TestUploadOverHTTP2 sends a file for longer than the server gives a request, and than a client may take for a part of it.
func TestUploadOverHTTP2(t *testing.T) {
	const limit = 200 * time.Millisecond
	e, _ := newLiveEnv(t, func(e *env) { e.limit, e.api.intake.pace = limit, limit })
	part := bytes.Repeat([]byte("a,b\n"), paceBytes/4)
	from, to := io.Pipe()
	go func() {
		pause := time.NewTicker(limit / 2)
		defer pause.Stop()
		for range 6 {
			if _, err := to.Write(part); err != nil {
				return
			}
			<-pause.C
		}
		_ = to.Close()
	}()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, e.url+uploadsPath, from)
	if err != nil {
		t.Fatal(err)
	}
	response, err := overHTTP2(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	stored := decoded[openapi.Upload](t, answer{body: body})
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusCreated || stored.Bytes != int64(6*len(part)) {
		t.Errorf("answered %s %s %s", response.Proto, response.Status, body)
	}
}

// TestUploadStallsOverHTTP2 holds that a client that sends nothing is told so.
func TestUploadStallsOverHTTP2(t *testing.T) {
	e, _ := newLiveEnv(t, func(e *env) { e.api.intake.pace = 100 * time.Millisecond })
	from, to := io.Pipe()
	defer func() { _ = to.Close() }()
	go func() { _, _ = to.Write([]byte("a,b\n")) }()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, e.url+uploadsPath, from)
	if err != nil {
		t.Fatal(err)
	}
	response, err := overHTTP2(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, answer{status: response.StatusCode, body: body}, codeUploadIncomplete)
}
