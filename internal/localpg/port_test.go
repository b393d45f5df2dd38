package localpg

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestPortIsKept(t *testing.T) {
	t.Parallel()
	cfg := throwaway(t, openDir(t))
	first := start(t, cfg)
	stop(t, first)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // what would else be free next
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if again := start(t, cfg); again.URL("postgres") != first.URL("postgres") {
		t.Errorf("the address was %s and is %s", first.URL("postgres"), again.URL("postgres"))
	}
}

func TestPortThatIsTakenIsGivenUp(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().(*net.TCPAddr).Port
	h, said := home{dir: t.TempDir()}, new(bytes.Buffer)
	cfg := Config{Log: slog.New(slog.NewTextHandler(said, nil))}
	if err := os.WriteFile(h.portFile(), []byte(strconv.Itoa(taken)), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := h.choosePort(cfg)
	if err != nil || port == taken || !strings.Contains(said.String(), "had="+strconv.Itoa(taken)) {
		t.Errorf("chosen is %d instead of %d (%v); it says %s", port, taken, err, said)
	}
	said.Reset()
	if known, err := h.knownPort(); err != nil || known != port {
		t.Errorf("kept is %d, %v, want %d", known, err, port)
	}
	if told, err := h.choosePort(Config{Port: port}); err != nil || told != port || said.Len() > 0 {
		t.Errorf("asked for %d it is %d, %v; it says %s", port, told, err, said)
	}
}

func TestPortFileThatWasCutOff(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "nonsense", "70000", "-1"} {
		h := home{dir: t.TempDir()}
		if err := os.WriteFile(h.portFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		port, err := h.choosePort(Config{})
		if known, _ := h.knownPort(); err != nil || port == 0 || known != port {
			t.Errorf("after %q it is %d and kept is %d, %v", text, port, known, err)
		}
	}
}
