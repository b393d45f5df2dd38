package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"sluice/internal/testenv"
)

// TestMemoryStaysBounded loads a file of large rows that is larger than the memory that sluice may take for it.
func TestMemoryStaysBounded(t *testing.T) {
	t.Parallel()
	const (
		rows    = 150
		rowSize = 2 << 20
		allowed = 400 << 20
	)
	text := bytes.Repeat([]byte("sixteen letters "), rowSize/16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("n,text\n"))
		for n := range rows {
			_, _ = w.Write(strconv.AppendInt(nil, int64(n), 10))
			_, _ = w.Write([]byte{','})
			_, _ = w.Write(text)
			_, _ = w.Write([]byte{'\n'})
		}
	}))
	t.Cleanup(server.Close)
	i := up(t, testenv.Dir(t))
	if j := i.load(t, server.URL, "large"); j.Progress.Rows != rows || j.Progress.Bytes < rows*rowSize {
		t.Errorf("loaded are %+v", j.Progress)
	}
	peak := peakMemory(t, i.pid())
	t.Logf("at most %d MiB", peak>>20)
	if peak > allowed {
		t.Errorf("sluice took %d MiB, more than %d", peak>>20, allowed>>20)
	}
	if size := column[int64](t, i.connect(t), `SELECT sum(length(text))::bigint FROM public.large`); size[0] != rows*rowSize {
		t.Errorf("the table has %d characters", size[0])
	}
}
