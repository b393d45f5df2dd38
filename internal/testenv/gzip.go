package testenv

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// Gzip compresses texts, each into a member of its own (RFC 1952, section 2.2).
func Gzip(t testing.TB, texts ...string) string {
	t.Helper()
	var file bytes.Buffer
	for _, text := range texts {
		w := gzip.NewWriter(&file)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatalf("compressing: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Fatalf("compressing: %v", err)
		}
	}
	return file.String()
}
