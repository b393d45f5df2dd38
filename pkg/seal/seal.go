// Package seal keeps what only a worker may read: the parts of a source's address that can hold a secret, and the headers
// to ask with. A sealed value may lie in a stream or a bucket that many can read.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"sluice/pkg/events"
)

// KeySize is the length of a key in bytes: AES-256.
const KeySize = 32

// ErrNoKey says that something must be sealed or opened and no key is configured.
var ErrNoKey = errors.New("no secret key is configured; " +
	"set SLUICE_SECRET_KEY to 32 random bytes in base64, the same for the API and every ingester")

// Sealer seals and opens with one key, AES-256-GCM (NIST SP 800-38D) with random nonces. Its zero value has no key.
type Sealer struct {
	aead cipher.AEAD
	key  []byte
}

// New returns a sealer for a base64 key, or one without a key for "".
func New(key string) (Sealer, error) {
	if key == "" {
		return Sealer{}, nil
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != KeySize {
		return Sealer{}, fmt.Errorf("SLUICE_SECRET_KEY must be %d bytes in base64", KeySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return Sealer{}, fmt.Errorf("preparing the secret key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Sealer{}, fmt.Errorf("preparing the secret key: %w", err)
	}
	return Sealer{aead: aead, key: raw}, nil
}

// NewKey returns a fresh random key for [New].
func NewKey() string {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// Fingerprint tells values apart without giving them away: the hex HMAC-SHA-256 (RFC 2104) under the key. Anyone can
// make the one of a sealer without a key, which seals no secrets either.
func (s Sealer) Fingerprint(value []byte) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(value)
	return hex.EncodeToString(mac.Sum(nil))
}

// Address is all that it takes to ask for a source.
type Address struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"` // by their names; sent to the host of URL only
}

// Source returns what may be shown of an address, together with the whole of it sealed for the job if that is more.
func (s Sealer) Source(jobID string, u *url.URL, headers map[string]string) (events.Source, error) {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	whole := *u
	whole.Fragment, whole.RawFragment = "", "" // never sent to a server
	source := events.Source{URL: shown.String()}
	if whole.String() == source.URL && len(headers) == 0 {
		return source, nil
	}
	if s.aead == nil {
		return events.Source{}, ErrNoKey
	}
	secret := []byte(whole.String())
	if len(headers) > 0 {
		var err error
		if secret, err = json.Marshal(Address{URL: whole.String(), Headers: headers}); err != nil {
			return events.Source{}, fmt.Errorf("encoding the source of job %s: %w", jobID, err)
		}
	}
	source.Sealed = s.aead.Seal(nil, nil, secret, []byte(jobID)) //nolint:gosec // it makes a random nonce itself
	return source, nil
}

// Open returns the whole address of a job's source. It fails with [ErrNoKey] without a key, and when the value was sealed
// with another key or for another job.
func (s Sealer) Open(jobID string, source events.Source) (Address, error) {
	if len(source.Sealed) == 0 {
		return Address{URL: source.URL}, nil
	}
	if s.aead == nil {
		return Address{}, ErrNoKey
	}
	secret, err := s.aead.Open(nil, nil, source.Sealed, []byte(jobID))
	if err != nil {
		return Address{}, fmt.Errorf("opening the sealed source of job %s: %w", jobID, err)
	}
	if !bytes.HasPrefix(secret, []byte("{")) { // no URL begins so
		return Address{URL: string(secret)}, nil
	}
	var whole Address
	if err := json.Unmarshal(secret, &whole); err != nil {
		return Address{}, fmt.Errorf("decoding the sealed source of job %s: %w", jobID, err)
	}
	return whole, nil
}
