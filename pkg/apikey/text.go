package apikey

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

const (
	prefix      = "sluice_" // by which people and scanners for secrets know a key
	idBytes     = 4
	secretBytes = 32
)

// letters are those of secrets: none that is easily taken for another one.
const letters = "abcdefghijkmnpqrstuvwxyz23456789"

var encoding = base32.NewEncoding(letters).WithPadding(base32.NoPadding)

// New gives a key an id and a secret, and returns with it the text that its owner has to keep: sluice_, the id, _ and the secret.
func New(wanted Key) (k Key, text string) {
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // never fails
	secret := encoding.EncodeToString(random[idBytes:])
	k = wanted
	k.ID, k.Hash = hex.EncodeToString(random[:idBytes]), hashed(secret)
	return k, prefix + k.ID + "_" + secret
}

// Parse takes a key's text apart, and reports whether it is one at all.
func Parse(text string) (id, secret string, ok bool) {
	rest, found := strings.CutPrefix(text, prefix)
	id, secret, parts := strings.Cut(rest, "_")
	if !found || !parts || !IsID(id) || len(secret) != encoding.EncodedLen(secretBytes) || strings.Trim(secret, letters) != "" {
		return "", "", false
	}
	return id, secret, true
}

// IsID reports whether a text has the form of a key's id.
func IsID(text string) bool {
	return len(text) == hex.EncodedLen(idBytes) && strings.Trim(text, "0123456789abcdef") == ""
}
