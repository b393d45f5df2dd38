package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// tree is a folder that may be read, beside one that may not.
type tree struct{ open, closed string }

// newTree makes open/a.csv, open/deep/b c.csv and closed/secret.csv, and links between them.
func newTree(t *testing.T) tree {
	t.Helper()
	root := testenv.Dir(t)
	tr := tree{filepath.Join(root, "open"), filepath.Join(root, "closed")}
	files := map[string]string{"open/a.csv": "a\n1\n", "open/deep/b c.csv": "b\n2\n", "closed/secret.csv": "c\n3\n", "open/#?.csv": "d\n"}
	for name, text := range files {
		write(t, filepath.Join(root, name), text)
	}
	links := map[string]string{
		"open/inside.csv": "deep/b c.csv", "open/outside.csv": "../closed/secret.csv", "open/absolute.csv": tr.closed + "/secret.csv",
		"open/out": "../closed", "open/up": "..", "open/loop": "loop", "open/dangling.csv": "nothing.csv",
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func inFolders(t *testing.T, paths ...string) *Opener {
	t.Helper()
	return newSource(t, func(c *Config) { c.Folders = paths })
}

func TestFolder(t *testing.T) {
	tr := newTree(t)
	o := inFolders(t, tr.open+"/")
	for url, want := range map[string]struct{ text, name string }{
		"file://" + tr.open + "/a.csv":              {"a\n1\n", "a.csv"},
		"file://localhost" + tr.open + "/a.csv":     {"a\n1\n", "a.csv"},
		"FILE://" + tr.open + "/a.csv":              {"a\n1\n", "a.csv"},
		"file://" + tr.open + "/deep/b%20c.csv":     {"b\n2\n", "b c.csv"},
		"file://" + tr.open + "/inside.csv":         {"b\n2\n", "inside.csv"},
		"file://" + tr.open + "/%23%3F.csv":         {"d\n", "#?.csv"},
		"file://" + tr.open + "/deep/../a.csv":      {"a\n1\n", "a.csv"},
		"file://" + tr.open + "/../open/a.csv":      {"a\n1\n", "a.csv"},
		"file://" + tr.closed + "/../open/a.csv":    {"a\n1\n", "a.csv"},
		"file://" + tr.open + "//deep/./b%20c.csv":  {"b\n2\n", "b c.csv"},
		"file://" + tr.open + "/deep/b%20c.csv#top": {"b\n2\n", "b c.csv"},
	} {
		body := open(t, o, url)
		text, err := io.ReadAll(body)
		if err != nil || string(text) != want.text || body.Name() != want.name {
			t.Errorf("%s: read %q of %q, %v", url, text, body.Name(), err)
		}
		if size, known := body.Size(); !known || size != int64(len(want.text)) || !body.LengthVerified() {
			t.Errorf("%s: size %d", url, size)
		}
	}
}

func TestFolderRefuses(t *testing.T) {
	tr := newTree(t)
	if err := syscall.Mkfifo(filepath.Join(tr.open, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := inFolders(t, tr.open)
	forbidden, unsupported, missing := events.CodeSourceForbidden, events.CodeSourceUnsupported, events.CodeSourceNotFound
	for url, code := range map[string]events.Code{
		"file:///etc/passwd":                                  forbidden,
		"file:///":                                            forbidden,
		"file://" + tr.closed + "/secret.csv":                 forbidden,
		"file://" + tr.closed + "/nothing.csv":                forbidden, // whether it is there is nobody's affair
		"file://" + tr.open + "/../closed/secret.csv":         forbidden,
		"file://" + tr.open + "/%2e%2e/closed/secret.csv":     forbidden,
		"file://" + tr.open + "/..%2fclosed/secret.csv":       forbidden,
		"file://" + tr.open + "/outside.csv":                  forbidden,
		"file://" + tr.open + "/absolute.csv":                 forbidden,
		"file://" + tr.open + "/out/secret.csv":               forbidden,
		"file://" + tr.open + "/up/closed/secret.csv":         forbidden,
		"file://" + tr.open + "/up/open/../closed/secret.csv": forbidden,
		"file://" + tr.open + "x/secret.csv":                  forbidden,
		"file://" + tr.open + "/nothing.csv":                  missing,
		"file://" + tr.open + "/dangling.csv":                 missing,
		"file://" + tr.open + "/a.csv/b.csv":                  missing,
		"file://" + tr.open + "/loop":                         missing,
		"file://" + tr.open + "/" + strings.Repeat("a", 300):  missing,
		"file://" + tr.open:                                   unsupported,
		"file://" + tr.open + "/deep":                         unsupported,
		"file://" + tr.open + "/pipe":                         unsupported,
		"file://other" + tr.open + "/a.csv":                   unsupported,
		"file://me:pw@localhost" + tr.open + "/a.csv":         unsupported,
		"file:a.csv":                       unsupported,
		"file://" + tr.open + "/a.csv?x=1": unsupported,
		"file://" + tr.open + "/a%00.csv":  unsupported,
	} {
		t.Run(url, func(t *testing.T) { wantFailure(t, openErr(t, o, url), code) })
	}
	t.Run("without folders", func(t *testing.T) {
		wantFailure(t, openErr(t, newSource(t), "file://"+tr.open+"/a.csv"), forbidden, "SLUICE_SOURCE_FOLDERS")
	})
	t.Run("of a redirect", func(t *testing.T) {
		wantFailure(t, openErr(t, o, redirectTo(t, "file://"+tr.open+"/a.csv")), events.CodeSourceRedirects)
	})
	t.Run("in overlapping folders", func(t *testing.T) { // what leads out of one may lie in the other
		both := inFolders(t, tr.open, filepath.Dir(tr.open))
		open(t, both, "file://"+tr.open+"/out/secret.csv")
		wantFailure(t, openErr(t, both, "file://"+tr.open+"/nothing.csv"), missing)
	})
}

func TestFoldersAreChecked(t *testing.T) {
	tr := newTree(t)
	for _, path := range []string{"", "relative", tr.open + "/nothing", tr.open + "/a.csv"} {
		config := DefaultConfig()
		config.Folders = []string{path}
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), `"`+path+`"`) {
			t.Errorf("folder %q: error %v, want one that names it", path, err)
		}
	}
}

func TestFolderFileIsChanged(t *testing.T) {
	for name, change := range map[string]func(f *os.File) error{
		"longer":           func(f *os.File) error { _, err := f.WriteString("more"); return err },
		"shorter":          func(f *os.File) error { return f.Truncate(5000) },
		"empty":            func(f *os.File) error { return f.Truncate(0) },
		"written in place": func(f *os.File) error { _, err := f.WriteAt([]byte("x"), 0); return err },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testenv.Dir(t), "a.csv")
			write(t, path, file)
			age(t, path)
			body := open(t, inFolders(t, filepath.Dir(path)), "file://"+path)
			if _, err := io.CopyN(io.Discard, body, 1000); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Seek(0, io.SeekEnd); err != nil {
				t.Fatal(err)
			}
			if err := change(f); err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, body)
			wantFailure(t, err, events.CodeSourceChanged, "bytes")
		})
	}
	t.Run("replaced", func(t *testing.T) { // which is the way to do it
		path := filepath.Join(testenv.Dir(t), "a.csv")
		write(t, path, file)
		body := open(t, inFolders(t, filepath.Dir(path)), "file://"+path)
		write(t, path+".new", "other")
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		wantRest(t, body, file)
	})
}

// age makes a file one that was changed long ago.
func age(t *testing.T, path string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

func TestFolderFileIsResumed(t *testing.T) {
	for name, tt := range map[string]struct {
		aged    bool
		change  string // of the file meanwhile
		start   int64
		changed bool
	}{
		"unchanged":             {true, "", readAt, false},
		"just written":          {false, "", 0, false},
		"written in place":      {true, edited(10), 0, true},
		"written behind":        {true, edited(readAt + 10), 0, false}, // what was read of it is the same
		"dated back":            {true, edited(10), 0, true},
		"just written, changed": {false, edited(10), 0, true},
		"shorter":               {true, file[:5000], 0, true},
		"empty":                 {true, "", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testenv.Dir(t), "a.csv")
			write(t, path, file)
			if tt.aged {
				age(t, path)
			}
			o, url := inFolders(t, filepath.Dir(path)), "file://"+path
			first := open(t, o, url)
			if _, err := io.CopyN(io.Discard, first, readAt); err != nil {
				t.Fatal(err)
			}
			if name == "empty" || tt.change != "" {
				write(t, path, tt.change)
			}
			if name == "dated back" {
				at := first.wire.content.(*folderFile).was.ModTime()
				if err := os.Chtimes(path, at, at); err != nil {
					t.Fatal(err)
				}
			}
			body, err := o.Resume(t.Context(), Request{URL: url}, Point{Offset: readAt, Digest: first.Digest(), Was: first.Validator()})
			if err == nil {
				defer body.Close()
				if body.Offset() != tt.start {
					t.Errorf("starts at %d", body.Offset())
				}
				if !tt.changed {
					wantRest(t, body, cmp.Or(tt.change, file))
					return
				}
				_, err = io.Copy(io.Discard, body)
			}
			if !tt.changed || !errors.Is(err, ErrChanged) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestFolderFileEndsWithItsContext holds that nothing more of a file is read for a job that has ended: what is left out of an
// archive may take long.
func TestFolderFileEndsWithItsContext(t *testing.T) {
	path := filepath.Join(testenv.Dir(t), "a.csv")
	write(t, path, file)
	ctx, cancel := context.WithCancel(t.Context())
	body, err := inFolders(t, filepath.Dir(path)).Open(ctx, Request{URL: "file://" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	cancel()
	if n, err := io.Copy(io.Discard, body); !errors.Is(err, context.Canceled) || n == int64(len(file)) {
		t.Errorf("read %d bytes, %v", n, err)
	}
}
