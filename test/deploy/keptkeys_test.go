package deploy

import (
	"net/http"
	"strings"
	"testing"
)

// keptKeys are API keys, of which some change between a backup and its restore.
type keptKeys struct{ kept, revoked, revokedID, madeAfter string }

// newKeptKeys makes those that a backup is to hold.
func newKeptKeys(t *testing.T, s *site) *keptKeys {
	t.Helper()
	k := &keptKeys{}
	k.kept, _ = s.newKey(t, "--scopes", "read")
	k.revoked, k.revokedID = s.newKey(t, "--scopes", "read")
	return k
}

// change revokes one and makes another, of which the backup does not know.
func (k *keptKeys) change(t *testing.T, s *site) {
	t.Helper()
	s.keys(t, "revoke", k.revokedID)
	k.madeAfter, _ = s.newKey(t, "--scopes", "read")
}

// checkRestored holds that the keys are those of the backup, and that who looks, as docs/operations.md says, sees the one that is
// valid again, and can revoke it before anybody is let in.
func (k *keptKeys) checkRestored(t *testing.T, o *operator, s *site) {
	t.Helper()
	listed := ""
	for _, step := range steps(t, "Keys after a restore") {
		listed += o.does(t, step)
	}
	if !strings.Contains(listed, k.revokedID) {
		t.Errorf("that key %s is valid again is not to be seen in\n%s", k.revokedID, listed)
	}
	s.keys(t, "revoke", k.revokedID)
	c := s.openWithKeys(t)
	c.expect(t, k.kept, http.StatusOK)
	for what, key := range map[string]string{"revoked again": k.revoked, "made after the backup": k.madeAfter} {
		if got := c.keyed(t, http.MethodGet, key, ""); got != http.StatusUnauthorized {
			t.Errorf("the key that was %s is answered with %d", what, got)
		}
	}
	s.stop(t)
}
