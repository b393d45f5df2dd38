package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/internal/testenv"
)

// queue is a NATS server as a process, as it is deployed: what it has acknowledged is on its disk.
type queue struct {
	*process
	addr string // of this life of it
	dir  string
	conf string
}

// startQueue runs a server that keeps its streams in dir.
func startQueue(t *testing.T, dir string) *queue {
	t.Helper()
	q := &queue{dir: dir, conf: filepath.Join(testenv.Dir(t), "nats.conf")}
	conf := fmt.Sprintf(`listen: "127.0.0.1:-1"
lame_duck_duration: "30s"
lame_duck_grace_period: "1s"
jetstream { store_dir: %q, sync_interval: always, max_file_store: 1GB }
`, filepath.Join(dir, "jetstream"))
	if err := os.WriteFile(q.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	q.start(t)
	return q
}

// start runs the server on what it has stored.
func (q *queue) start(t *testing.T) {
	t.Helper()
	ports := testenv.Dir(t)
	q.process = run(t, filepath.Join(programs, "nats-server"), nil, "--config", q.conf, "--ports_file_dir", ports)
	testenv.Eventually(testenv.Context(t), t, "the NATS server says where it listens", func() error {
		select {
		case <-q.ended:
			t.Fatalf("the NATS server has ended:\n%s", q.lastWords())
		default:
		}
		files, err := filepath.Glob(filepath.Join(ports, "*.ports"))
		if err != nil || len(files) == 0 {
			return errors.Join(err, errors.New("it has not said so"))
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			return err
		}
		var listens struct{ Nats []string }
		if err := json.Unmarshal(data, &listens); err != nil || len(listens.Nats) == 0 {
			return fmt.Errorf("%s: %w", data, err)
		}
		q.addr = strings.TrimPrefix(listens.Nats[0], "nats://")
		return nil
	})
}

// retire has the server leave as it does in a rolling upgrade: it sends its clients away one by one and ends.
func (q *queue) retire(t *testing.T) {
	t.Helper()
	q.signal(syscall.SIGUSR2)
	if code := q.wait(t); code != 0 && code != 1 {
		t.Errorf("the NATS server ended with %d:\n%s", code, q.lastWords())
	}
}
