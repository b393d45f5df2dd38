package up

import (
	"bytes"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testenv"
	"sluice/pkg/seal"
)

func TestSecretKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	first, err := openSealer(dir, "", testenv.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := openSealer(dir, "", testenv.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	u := &url.URL{Scheme: "http", Host: "example.com", RawQuery: "a=1"}
	source, err := first.Source("job", u, nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := second.Open("job", source); err != nil || whole.URL != u.String() {
		t.Errorf("opened later is %s (%v)", whole.URL, err)
	}
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key may be read by %v (%v)", info.Mode(), err)
	}
}

// TestLostSecretKey holds that nobody finds out by failing jobs that the key is another one.
func TestLostSecretKey(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	if _, err := openSealer(dir, "", log); err != nil || said.Len() > 0 {
		t.Errorf("at first it says %s (%v)", said.String(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "nats"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "secret.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := openSealer(dir, "", log); err != nil || !strings.Contains(said.String(), "secret.key") {
		t.Errorf("then it says %s (%v)", said.String(), err)
	}
}

func TestSpoiltSecretKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret.key")
	if err := os.WriteFile(path, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSealer(dir, "", testenv.Log(t)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("opened with a key that is none: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openSealer(dir, "", testenv.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Source("job", &url.URL{Scheme: "http", Host: "example.com", RawQuery: "a=1"}, nil); err != nil {
		t.Errorf("an empty file is taken for no key: %v", err)
	}
}

func TestGivenSecretKeyComesFirst(t *testing.T) {
	dir, key := t.TempDir(), seal.NewKey()
	given, err := openSealer(dir, key, testenv.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	u := &url.URL{Scheme: "http", Host: "example.com", RawQuery: "a=1"}
	source, err := given.Source("job", u, nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := beside.Open("job", source); err != nil || whole.URL != u.String() {
		t.Errorf("opened beside is %s (%v)", whole, err)
	}
	if _, err := openSealer(dir, "spoilt", testenv.Log(t)); err == nil || !strings.Contains(err.Error(), "SLUICE_SECRET_KEY") {
		t.Errorf("error %v, want one that names SLUICE_SECRET_KEY", err)
	}
}
