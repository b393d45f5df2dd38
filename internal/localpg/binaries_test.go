package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeBinaries is a directory with a postgres that only knows its version, and an initdb that runs the script.
func fakeBinaries(t *testing.T, version, initdb string) string {
	t.Helper()
	dir := openDir(t)
	fakeIn(t, dir, version, initdb)
	return dir
}

func fakeIn(t *testing.T, dir, version, initdb string) {
	t.Helper()
	script(t, filepath.Join(dir, "postgres"), "echo 'postgres (PostgreSQL) "+version+"'")
	script(t, filepath.Join(dir, "initdb"), initdb)
}

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestFindSeesThroughLinksAndWrappers(t *testing.T) {
	installed := binaries(t).Dir
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"link": func(t *testing.T, dir string) { link(t, installed+"/postgres", dir+"/postgres") },
		"link of a link": func(t *testing.T, dir string) {
			link(t, installed+"/postgres", dir+"/x")
			link(t, "x", dir+"/postgres")
		},
		"link of initdb": func(t *testing.T, dir string) { link(t, installed+"/initdb", dir+"/initdb") },
		"wrapper":        func(t *testing.T, dir string) { script(t, dir+"/postgres", "exec "+installed+`/postgres "$@"`) },
		"quoted wrapper": func(t *testing.T, dir string) { script(t, dir+"/postgres", `exec "`+installed+`/postgres" "$@"`) },
		"wrapped initdb": func(t *testing.T, dir string) { script(t, dir+"/initdb", "exec "+installed+`/initdb "$@"`) },
		"linked wrapper": func(t *testing.T, dir string) {
			script(t, dir+"/x", installed+"/postgres")
			link(t, "x", dir+"/postgres")
		},
		"linked directly": func(t *testing.T, dir string) {
			link(t, installed+"/postgres", dir+"/postgres")
			link(t, installed+"/initdb", dir+"/initdb")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := openDir(t)
			prepare(t, dir)
			t.Setenv("PATH", dir)
			found, err := findAll("", nil)
			if err != nil || found[0].Dir != installed {
				t.Fatalf("found %v, %v, want %s", found, err, installed)
			}
		})
	}
}

func TestFoundOnPathTheServerStarts(t *testing.T) {
	cfg := throwaway(t, openDir(t))
	dir := openDir(t)
	script(t, dir+"/postgres", "exec "+cfg.BinDir+`/postgres "$@"`)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	cfg.BinDir, cfg.Template = "", ""
	start(t, cfg)
}

func TestFindOrder(t *testing.T) {
	root := openDir(t)
	for _, version := range []string{"9", "15", "16", "101"} {
		fakeIn(t, filepath.Join(root, "debian", version, "bin"), version+".3", "")
	}
	fakeIn(t, filepath.Join(root, "brew", "postgresql@17", "bin"), "17.1", "")
	script(t, filepath.Join(root, "debian", "18", "bin", "postgres"), "") // no initdb: not whole
	fakeIn(t, filepath.Join(root, "path"), "14devel", "")
	places := []string{filepath.Join(root, "debian/*/bin"), filepath.Join(root, "brew/postgresql@*/bin")}
	t.Setenv("PATH", filepath.Join(root, "path"))

	found, err := findAll("", places)
	if err != nil {
		t.Fatal(err)
	}
	var versions []int
	for _, b := range found {
		versions = append(versions, b.Version)
	}
	want := []int{14, 101, 16, 15, 9, 17}
	if len(versions) != len(want) {
		t.Fatalf("found versions %v, want %v", versions, want)
	}
	for i := range want {
		if versions[i] != want[i] {
			t.Fatalf("found versions %v, want %v", versions, want)
		}
	}
	if b, err := pick(found, 15, ""); err != nil || b.Version != 15 {
		t.Errorf("for data of version 15: %v, %v", b, err)
	}
	if b, err := pick(found, 0, ""); err != nil || b.Version != 14 {
		t.Errorf("for new data: %v, %v", b, err)
	}
	if found, err := findAll(filepath.Join(root, "debian/9/bin"), places); err != nil || found[0].Version != 9 {
		t.Errorf("in a named directory: %v, %v", found, err)
	}
}

func TestNoBinaries(t *testing.T) {
	t.Setenv("PATH", openDir(t))
	_, err := findAll("", []string{filepath.Join(openDir(t), "*")})
	if !errors.Is(err, ErrNoBinaries) {
		t.Fatalf("found %v", err)
	}
	for _, want := range []string{"apt-get install postgresql", "SLUICE_PGBIN", "--postgres-url", "DATABASE_URL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q", want)
		}
	}
}

func TestNamedDirectoryWithoutBinaries(t *testing.T) {
	t.Parallel()
	dir := openDir(t) // what PATH has must not hide a wrong SLUICE_PGBIN
	_, err := Start(t.Context(), Config{Dir: openDir(t), BinDir: dir})
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Start: %v", err)
	}
}
