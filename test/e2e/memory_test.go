package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// TestIngesterStaysSmall loads files that are many times larger than the memory that an ingester may take for them. It is
// not parallel: what else is done at the time would slow the loads down.
func TestIngesterStaysSmall(t *testing.T) {
	const size = 256 << 20
	program := buildPlainly(t, "ingester")
	for name, tt := range map[string]struct {
		slots   int
		packed  bool
		allowed int64
	}{"one slot": {1, false, 64 << 20}, "two slots": {2, false, 96 << 20}, "one slot, compressed": {1, true, 72 << 20}} {
		t.Run(name, func(t *testing.T) {
			f := startFleet(t)
			worker := run(t, program, append(slices.Clone(f.env),
				"SLUICE_WORKER=small", "SLUICE_SOURCE_ALLOW=127.0.0.0/8", "SLUICE_SLOTS="+strconv.Itoa(tt.slots)))
			url, rows := serveAtLeast(t, size, tt.packed)
			var ids []string
			for n := range tt.slots {
				ids = append(ids, f.submit(t, map[string]any{"url": url, "table": fmt.Sprintf("large%d", n)}).ID)
			}
			for _, id := range ids {
				if j := f.awaitState(t, id, "succeeded"); j.Progress.Rows != rows || j.Progress.Bytes < size && !tt.packed {
					t.Errorf("loaded are %+v, want %d rows", j.Progress, rows)
				}
			}
			peak := peakMemory(t, worker.pid())
			t.Logf("at most %.1f MiB", float64(peak)/(1<<20))
			if peak > tt.allowed {
				t.Errorf("the ingester took %d MiB, more than %d", peak>>20, tt.allowed>>20)
			}
		})
	}
}

// buildPlainly builds a service as it is shipped: the race detector takes many times the memory.
func buildPlainly(t *testing.T, service string) string {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "sluice-"+service)
	build := exec.CommandContext(testenv.Context(t), "go", "build", "-race=false", "-o", program, "./services/"+service+"/cmd/sluice-"+service)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the %s: %v\n%s", service, err, output)
	}
	return program
}

// serveAtLeast serves a file of plain and quoted rows, and in each of its pieces one of almost 1 MiB.
func serveAtLeast(t *testing.T, size int, packed bool) (url string, rows int64) {
	t.Helper()
	const pieceRows = 40_000
	var piece strings.Builder
	for n := range pieceRows / 2 {
		fmt.Fprintf(&piece, "%d,2024-01-01 00:57:55,2024-01-01 01:17:43,1.72,N,186,79,17.7,22.7,some words\n", n)
		fmt.Fprintf(&piece, "%d,\"Smith, John\",\"said \"\"yes\"\"\",\"two\nlines\",,\"\",C:\\dir,Zürich,9,\"%s\"\n", n, "a value of some length")
	}
	fmt.Fprintf(&piece, "1,2,3,4,5,6,7,8,9,%s\n", strings.Repeat("0123456789abcde ", 1<<16-8))
	pieces := size/piece.Len() + 1
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		w := io.Writer(answer)
		if packed {
			z, _ := gzip.NewWriterLevel(answer, gzip.BestSpeed) // a valid level
			defer func() { _ = z.Close() }()
			w = z
		}
		_, _ = io.WriteString(w, "a,b,c,d,e,f,g,h,i,j\n")
		for range pieces {
			_, _ = io.WriteString(w, piece.String())
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, int64(pieces) * (pieceRows + 1)
}
