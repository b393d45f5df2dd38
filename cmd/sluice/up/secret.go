package up

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluice/pkg/seal"
)

// openSealer keeps one secret key with the data, so that a job's secrets outlive a restart.
func openSealer(dir string) (seal.Sealer, error) {
	path := filepath.Join(dir, "secret.key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = []byte(seal.NewKey())
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return seal.Sealer{}, fmt.Errorf("keeping the secret key: %w", err)
	}
	return seal.New(strings.TrimSpace(string(key)))
}
