package apikey_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/pkg/apikey"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// TestStoredForm holds what lies in the bucket, which older and newer processes read.
func TestStoredForm(t *testing.T) {
	golden, err := os.ReadFile("testdata/key.json")
	if err != nil {
		t.Fatal(err)
	}
	want := apikey.Key{
		ID: "5b1f0c9d", Name: "ci", Hash: "6a3b80ed18cae3a38d36bf36ebcb0db9d9ebcfeabef6c5a0f3acb6c5a3a5f2d0",
		Scopes: []apikey.Scope{apikey.Read, apikey.Write}, CreatedAt: noon, ExpiresAt: noon.AddDate(0, 0, 90),
		RequestsPerMinute: 600, QueuedJobs: 100,
	}
	var got apikey.Key
	if err := json.Unmarshal(golden, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the golden is read as %+v", got)
	}
	written, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, golden); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, compact.Bytes()) {
		t.Errorf("written is\n%s\nthe golden is\n%s", written, compact.Bytes())
	}
}

func TestNewKey(t *testing.T) {
	wanted := apikey.Key{Name: "ci", Scopes: []apikey.Scope{apikey.Read}, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	k, text := apikey.New(wanted)
	if !regexp.MustCompile(`^sluice_[0-9a-f]{8}_[a-km-np-z2-9]{52}$`).MatchString(text) {
		t.Errorf("the key looks like %q", text)
	}
	id, secret, ok := apikey.Parse(text)
	if !ok || id != k.ID {
		t.Fatalf("parsed as %q, %t; the id is %q", id, ok, k.ID)
	}
	if stored, err := json.Marshal(k); err != nil || strings.Contains(string(stored), secret) {
		t.Errorf("stored is %s, %v", stored, err)
	}
	other, _ := apikey.New(wanted)
	if other.ID == k.ID || other.Hash == k.Hash {
		t.Error("two keys are alike")
	}
	cut := k
	cut.Hash = k.Hash[:62]
	spoilt := k
	spoilt.Hash = "x" + k.Hash[1:]
	for name, tt := range map[string]struct {
		key    apikey.Key
		secret string
		now    time.Time
		want   bool
	}{
		"the secret":           {k, secret, noon, true},
		"just before its end":  {k, secret, noon.Add(time.Hour - 1), true},
		"expired":              {k, secret, noon.Add(time.Hour), false},
		"another secret":       {k, secret[1:] + "a", noon, false},
		"no secret":            {k, "", noon, false},
		"another key":          {other, secret, noon, false},
		"a key that is no key": {apikey.Key{}, secret, noon, false},
		"no secret of no key":  {apikey.Key{}, "", noon, false},
		"a hash cut short":     {cut, secret, noon, false},
		"a hash that is none":  {spoilt, secret, noon, false},
		"the hash as secret":   {k, k.Hash, noon, false},
	} {
		if got := tt.key.Verify(tt.secret, tt.now); got != tt.want {
			t.Errorf("%s: verified is %t", name, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	_, text := apikey.New(apikey.Key{})
	for _, bad := range []string{
		"", "sluice_", "sluice__", text[1:], text + "a", text[:len(text)-1], strings.ToUpper(text), strings.Replace(text, "sluice", "slice", 1),
		strings.Replace(text, "_", "-", 2), "sluice_5b1f0c9_" + text[16:], "sluice_5b1f0c9g_" + text[16:],
		text[:len(text)-1] + "0", text[:len(text)-1] + "\n", text[:len(text)-2] + "é", " " + text,
	} {
		if id, secret, ok := apikey.Parse(bad); ok || id != "" || secret != "" {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestValid(t *testing.T) {
	good := apikey.Key{Name: "ci of Überlingen", Scopes: []apikey.Scope{apikey.Admin}, CreatedAt: noon}
	if err := good.Valid(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*apikey.Key){
		"no name":            func(k *apikey.Key) { k.Name = "" },
		"a long name":        func(k *apikey.Key) { k.Name = strings.Repeat("n", 65) },
		"a line in the name": func(k *apikey.Key) { k.Name = "a\nb" },
		"no UTF-8":           func(k *apikey.Key) { k.Name = "a\xff" },
		"no scope":           func(k *apikey.Key) { k.Scopes = nil },
		"expired":            func(k *apikey.Key) { k.ExpiresAt = noon },
		"negative requests":  func(k *apikey.Key) { k.RequestsPerMinute = -1 },
		"too many requests":  func(k *apikey.Key) { k.RequestsPerMinute = 1_000_001 },
		"negative jobs":      func(k *apikey.Key) { k.QueuedJobs = -1 },
		"too many jobs":      func(k *apikey.Key) { k.QueuedJobs = 1_000_001 },
	} {
		k := good
		spoil(&k)
		if err := k.Valid(); err == nil {
			t.Errorf("%s: it is valid", name)
		}
	}
}

func TestParseScopes(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  []apikey.Scope
	}{
		{[]string{"read"}, []apikey.Scope{apikey.Read}},
		{[]string{"write", " read", "write"}, []apikey.Scope{apikey.Write, apikey.Read}},
		{[]string{"read", "write", "admin"}, apikey.Scopes()},
		{nil, nil}, {[]string{""}, nil}, {[]string{"Read"}, nil}, {[]string{"read", "all"}, nil},
	} {
		got, err := apikey.ParseScopes(tt.names)
		if !reflect.DeepEqual(got, tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("%q are %v, %v", tt.names, got, err)
		}
	}
}
