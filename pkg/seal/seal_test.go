package seal_test

import (
	"bytes"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"sluice/pkg/seal"
)

const job = "0190f3c2-0000-7000-8000-000000000001"

func TestSourceShowsNoSecret(t *testing.T) {
	for _, tt := range []struct {
		url, shown string
		sealed     bool
	}{
		{"http://example.com/a.csv", "http://example.com/a.csv", false},
		{"http://example.com/a.csv#part", "http://example.com/a.csv", false},
		{"http://example.com/a%20b/%2F.csv", "http://example.com/a%20b/%2F.csv", false},
		{"https://user:s3cret@example.com:8443/a.csv", "https://example.com:8443/a.csv", true},
		{"https://example.com/a.csv?sig=s3cret", "https://example.com/a.csv", true},
		{"https://example.com/a.csv?", "https://example.com/a.csv", true},
	} {
		t.Run(tt.url, func(t *testing.T) {
			s := newSealer(t, seal.NewKey())
			source, err := s.Source(job, parse(t, tt.url), nil)
			if err != nil {
				t.Fatal(err)
			}
			if source.URL != tt.shown || (source.Sealed != nil) != tt.sealed {
				t.Errorf("shown %q, sealed %v", source.URL, source.Sealed != nil)
			}
			if bytes.Contains(source.Sealed, []byte("s3cret")) {
				t.Error("the sealed value holds the secret in clear")
			}
			whole, err := s.Open(job, source)
			want, _, _ := strings.Cut(tt.url, "#")
			if err != nil || whole.URL != want || whole.Headers != nil {
				t.Errorf("opened %+v, %v", whole, err)
			}
		})
	}
}

func TestHeadersAreSealed(t *testing.T) {
	s := newSealer(t, seal.NewKey())
	headers := map[string]string{"Authorization": "Bearer s3cret", "X-Tenant": "one"}
	source, err := s.Source(job, parse(t, "https://example.com/a.csv"), headers)
	if err != nil {
		t.Fatal(err)
	}
	if source.URL != "https://example.com/a.csv" || bytes.Contains(source.Sealed, []byte("s3cret")) {
		t.Errorf("shown %q, sealed as %q", source.URL, source.Sealed)
	}
	want := seal.Address{URL: "https://example.com/a.csv", Headers: headers}
	if whole, err := s.Open(job, source); err != nil || !reflect.DeepEqual(whole, want) {
		t.Errorf("opened %+v, %v", whole, err)
	}
	if _, err := (seal.Sealer{}).Source(job, parse(t, "https://example.com/a.csv"), headers); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("sealed without a key: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSealer(t, seal.NewKey())
	source, err := s.Source(job, parse(t, "http://example.com/?token=1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open("another job", source); err == nil {
		t.Error("opened for another job")
	}
	if _, err := newSealer(t, seal.NewKey()).Open(job, source); err == nil {
		t.Error("opened with another key")
	}
	if _, err := (seal.Sealer{}).Open(job, source); err == nil {
		t.Error("opened without a key")
	}
	if _, err := (seal.Sealer{}).Source(job, parse(t, "http://example.com/?token=1"), nil); err == nil {
		t.Error("sealed without a key")
	}
}

func TestFingerprint(t *testing.T) {
	s := newSealer(t, seal.NewKey())
	first, again := s.Fingerprint([]byte("a")), s.Fingerprint([]byte("a"))
	if first != again || first == s.Fingerprint([]byte("b")) {
		t.Error("a fingerprint does not stand for its value")
	}
	if s.Fingerprint([]byte("a")) == newSealer(t, seal.NewKey()).Fingerprint([]byte("a")) {
		t.Error("a fingerprint can be made without the key")
	}
}

func TestNewRefusesBadKeys(t *testing.T) {
	for _, key := range []string{"short", "AAAA", "!!!"} {
		if _, err := seal.New(key); err == nil {
			t.Errorf("key %q accepted", key)
		}
	}
}

func newSealer(t *testing.T, key string) seal.Sealer {
	t.Helper()
	s, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
