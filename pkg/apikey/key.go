package apikey

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a key may be given.
const (
	maxName     = 64        // bytes
	maxRequests = 1_000_000 // in a minute
	maxQueued   = 1_000_000
)

// Key is what is stored of a key. The secret is not, so that who reads the bucket cannot use the keys in it.
type Key struct {
	ID        string    `json:"id"` // 8 hexadecimal digits
	Name      string    `json:"name"`
	Hash      string    `json:"hash"` // of the secret: SHA-256, in hexadecimal digits
	Scopes    []Scope   `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	// RequestsPerMinute is how many requests one API takes with the key. 0: as many as come.
	RequestsPerMinute int `json:"requests_per_minute"`
	// QueuedJobs is how many jobs that were created with the key may wait on the queue. 0: as many as come.
	QueuedJobs int `json:"queued_jobs"`
}

// Valid says what is wrong with a key that is about to be stored, if anything.
func (k Key) Valid() error {
	unprintable := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	switch {
	case k.Name == "" || len(k.Name) > maxName || slices.ContainsFunc([]rune(k.Name), unprintable):
		return fmt.Errorf("a key's name must be 1 to %d bytes that can be printed", maxName)
	case len(k.Scopes) == 0:
		return errors.New("a key needs a scope")
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(k.CreatedAt):
		return errors.New("a key must expire after it was made")
	case k.RequestsPerMinute < 0 || k.RequestsPerMinute > maxRequests:
		return fmt.Errorf("the requests of a minute must be 0 to %d", maxRequests)
	case k.QueuedJobs < 0 || k.QueuedJobs > maxQueued:
		return fmt.Errorf("the jobs on the queue must be 0 to %d", maxQueued)
	}
	return nil
}

// Allows reports whether the key has a scope.
func (k Key) Allows(scope Scope) bool { return slices.Contains(k.Scopes, scope) }

// Verify reports whether the secret is the key's, and the key has not expired. It takes the same time whatever differs, also on
// the zero Key, which stands for one that is not known.
func (k Key) Verify(secret string, now time.Time) bool {
	var stored [sha256.Size]byte
	n, err := hex.Decode(stored[:], fitting(k.Hash))
	given := sha256.Sum256([]byte(secret))
	same := subtle.ConstantTimeCompare(stored[:], given[:]) == 1
	return same && err == nil && n == sha256.Size && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// fitting is a hash, or what takes as long to compare and is none.
func fitting(hash string) []byte {
	if len(hash) != hex.EncodedLen(sha256.Size) {
		return make([]byte, hex.EncodedLen(sha256.Size))
	}
	return []byte(hash)
}

// hashed is what is stored of a secret. A hash that is quick to compute will do, unlike for passwords: nobody can try 2^256 of
// them.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
