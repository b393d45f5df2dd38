package up

import (
	"strings"
	"testing"
)

func TestPortInUseIsNamed(t *testing.T) {
	l, err := listen("127.0.0.1:0", "api-addr")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().String()
	for name, try := range map[string]func() error{
		"listen": func() error { _, err := listen(taken, "files-addr"); return err },
		"probe":  func() error { return probe(taken, "files-addr") },
		"NATS":   func() error { _, _, err := natsAddr(taken, "files-addr"); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), "--files-addr") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := probe("192.0.2.1:1", "api-addr"); err == nil || !strings.Contains(err.Error(), "--api-addr") {
		t.Errorf("an address of somebody else: %v", err)
	}
}
