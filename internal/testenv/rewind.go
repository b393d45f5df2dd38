package testenv

import (
	"os"
	"path/filepath"
)

// Rewinder restarts the server, and remembers which messages a stream has. What it returns restarts it with those, and with what its
// consumers have done since: a server has them so that was killed between keeping an acknowledgement and removing the message.
func (n *NATS) Rewinder(stream string) (rewind func()) {
	n.t.Helper()
	found, err := filepath.Glob(filepath.Join(n.dir, "jetstream", "*", "streams", stream, "msgs"))
	if err != nil || len(found) != 1 {
		n.t.Fatalf("the messages of stream %s are in %q (%v)", stream, found, err)
	}
	kept := filepath.Join(n.t.TempDir(), "msgs")
	n.Stop()
	n.copyDir(found[0], kept)
	n.Start()
	return func() {
		n.t.Helper()
		n.Stop()
		if err := os.RemoveAll(found[0]); err != nil {
			n.t.Fatal(err)
		}
		n.copyDir(kept, found[0])
		n.Start()
	}
}

func (n *NATS) copyDir(from, to string) {
	n.t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		n.t.Fatal(err)
	}
}
