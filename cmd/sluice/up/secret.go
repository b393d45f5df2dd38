package up

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"sluice/pkg/seal"
)

// openSealer keeps one secret key with the data, so that a job's secrets outlive a restart. A key that was given comes
// first: processes beside this one may share it.
func openSealer(dir, given string, log *slog.Logger) (seal.Sealer, error) {
	if given != "" {
		return seal.New(given)
	}
	path := filepath.Join(dir, "secret.key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(key) == 0 { // cut off before anything was sealed with it
		if _, err := os.Stat(filepath.Join(dir, "nats")); err == nil {
			log.Warn("the secret key is gone, and a new one is made: jobs whose address was sealed with the old one will fail", "path", path)
		}
		key = []byte(seal.NewKey())
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return seal.Sealer{}, fmt.Errorf("keeping the secret key: %w", err)
	}
	sealer, err := seal.New(strings.TrimSpace(string(key)))
	if err != nil {
		return seal.Sealer{}, fmt.Errorf("reading the secret key in %s: %w", path, err)
	}
	return sealer, nil
}
