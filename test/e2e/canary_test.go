package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/pkg/seal"
)

// canary is a word that is in each of a test's secrets and in nothing else: wherever it is found, a secret was told.
type canary struct {
	word      string
	key       string            // the secrets are sealed with, and as secret as they are
	spellings map[string][]byte // by how it may be written
}

func newCanary(t *testing.T) canary {
	t.Helper()
	c := canary{word: "hush" + strings.ToLower(rand.Text()), key: seal.NewKey()}
	key, err := base64.StdEncoding.DecodeString(c.key)
	if err != nil {
		t.Fatal(err)
	}
	c.spellings = map[string][]byte{
		"plain": []byte(c.word), // so it is in URLs and in JSON too, which escape no letters
		"hex":   []byte(hex.EncodeToString([]byte(c.word))),
		"HEX":   []byte(strings.ToUpper(hex.EncodeToString([]byte(c.word)))),
		"key":   []byte(c.key), "key's bytes": key,
	}
	for shift := range 3 {
		c.spellings["base64, "+[]string{"first", "second", "third"}[shift]+" byte of three"] = []byte(base64Within(c.word, shift))
	}
	return c
}

// base64Within is what a word looks like within a longer text in base64, so many bytes behind a multiple of three.
func base64Within(word string, shift int) string {
	coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
	const bits = 6 // of each character; those at the edges hold bits of what is around the word
	return coded[(shift*8+bits-1)/bits : (shift+len(word))*8/bits]
}

// secret is one of a kind, with much around the word that has to be escaped somewhere.
func (c canary) secret(kind string) string { return kind + `-"<&%2f+/ =` + c.word + `;\'@?#-é` }

// find tells how a text spells the word and what is around it, or nothing.
func (c canary) find(text []byte) (spelling string, around []byte) {
	for spelling, coded := range c.spellings {
		if at := bytes.Index(text, coded); at >= 0 {
			return spelling, text[max(0, at-200):min(len(text), at+200)]
		}
	}
	return "", nil
}

// expectSilent checks that a text holds no secret.
func (c canary) expectSilent(t testing.TB, what string, text []byte) {
	t.Helper()
	if spelling, around := c.find(text); spelling != "" {
		t.Errorf("%s tells a secret (%s): %q", what, spelling, around)
	}
}

// expectSilentFiles checks everything that lies in a directory, and that there is something.
func (c canary) expectSilentFiles(t testing.TB, what, dir string) {
	t.Helper()
	size := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		c.expectSilent(t, what+" in "+path, data)
		size += len(data)
		return err
	})
	if err != nil || size == 0 {
		t.Errorf("%d bytes of %s were looked at: %v", size, what, err)
	}
}

// TestCanaryIsFound holds that a secret is found in whichever way it is written.
func TestCanaryIsFound(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	secret := c.secret("user")
	for name, text := range map[string]string{
		"plain": secret, "in a URL": url.UserPassword(secret, "x").String(), "in a query": url.QueryEscape(secret),
		"in JSON": fmt.Sprintf("%q", secret), "in hex": fmt.Sprintf("%x %X", "x"+secret, secret), "the key": "key=" + c.key,
	} {
		if spelling, _ := c.find([]byte(text)); spelling == "" {
			t.Errorf("%s it is not found: %s", name, text)
		}
	}
	for shift := range 6 {
		text := strings.Repeat("y", shift) + secret
		for _, coding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			if spelling, _ := c.find([]byte(coding.EncodeToString([]byte(text)))); spelling == "" {
				t.Errorf("behind %d bytes in base64 it is not found", shift)
			}
		}
	}
	if spelling, _ := c.find([]byte(strings.ToUpper(c.word[1:]))); spelling != "" {
		t.Errorf("what is no secret is found as %s", spelling)
	}
}
