package server

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLinksAreMadeOnce(t *testing.T) {
	root := t.TempDir()
	lib := filepath.Join(root, "native", "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(lib, "libpq.so.5.18"):               "a library",
		filepath.Join(root, "native", "pg-symlinks.json"): `[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := link(root); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(lib, "libpq.so.5")); err != nil || string(text) != "a library" {
		t.Errorf("behind the link is %q (%v)", text, err)
	}
	if to, err := os.Readlink(filepath.Join(lib, "libpq.so.5")); err != nil || to != "libpq.so.5.18" {
		t.Errorf("the link leads to %s (%v)", to, err)
	}
}

func TestPackageWithoutLinks(t *testing.T) {
	if err := link(t.TempDir()); err == nil {
		t.Error("it is no error")
	}
}
