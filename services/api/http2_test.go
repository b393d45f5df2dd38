package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// TestUploadOverHTTP2 sends a file for longer than the server gives a request.
func TestUploadOverHTTP2(t *testing.T) {
	const limit = 200 * time.Millisecond
	e, _ := newLiveEnv(t, func(e *env) { e.limit = limit })
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
	refused(t, answer{status: response.StatusCode, body: body}, refusal.UploadIncomplete)
}

// TestUploadIsStoredSlowly holds that the time that is spent on what was read already is not the client's.
func TestUploadIsStoredSlowly(t *testing.T) {
	const pace = time.Second
	read := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &uploadBody{
			ctx: r.Context(), body: r.Body, control: http.NewResponseController(w), limit: 16 << 20, pace: pace, left: pace,
		}
		_, err := body.Read(make([]byte, 1))
		<-time.After(pace + pace/2)
		if err == nil {
			_, err = io.ReadAll(body)
		}
		read <- err
	}))
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	r, err := http.NewRequestWithContext(testenv.Context(t), http.MethodPost, server.URL, bytes.NewReader(make([]byte, 8<<20)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := overHTTP2(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if err := <-read; err != nil {
		t.Errorf("reading fails with %v", err)
	}
}
