package bus_test

import (
	"strings"
	"testing"

	"sluice/pkg/bus"
)

func TestConnectKeepsSecretsToItself(t *testing.T) {
	tests := []struct{ name, url, shows string }{
		{"password", "nats://sluice:hunter2@127.0.0.1:1", "127.0.0.1:1"},
		{"token", "nats://hunter2@127.0.0.1:1", "127.0.0.1:1"},
		{"without a scheme", "sluice:hunter2@127.0.0.1:1", "127.0.0.1:1"},
		{"of the second server", "nats://127.0.0.1:1,nats://sluice:hunter2@127.0.0.1:2", "127.0.0.1:2"},
		{"with an at sign", "nats://sluice:hunter2@hunter2@127.0.0.1:1", "127.0.0.1:1"},
		{"of an unreadable address", "nats://sluice:hunter2@127.0.0.1:port", "127.0.0.1:port"},
		{"with an unreadable escape", "nats://sluice:hunter2%zz@127.0.0.1:1", "127.0.0.1:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := bus.Connect(tt.url, "api")
			if err == nil {
				nc.Close()
				t.Fatal("connected")
			}
			if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), tt.shows) {
				t.Errorf("the error is %q", err)
			}
		})
	}
}
