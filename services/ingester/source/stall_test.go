package source

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sluice/pkg/events"
)

func TestBodyStalled(t *testing.T) {
	h := newSource(t, func(c *Config) { c.StallWindow = 50 * time.Millisecond })
	drip := serveRaw(t, func(conn net.Conn) {
		_, err := io.WriteString(conn, ok+"\r\n")
		for tick := time.NewTicker(10 * time.Millisecond); err == nil; <-tick.C {
			_, err = conn.Write([]byte("x"))
		}
	})
	tests := []struct{ name, url, part string }{
		{"after some bytes", serveThenHang(t, ok+"Content-Length: 100\r\n\r\nhello"), "stopped at 5 of 100 bytes"},
		{"at once", serveThenHang(t, ok+"Content-Length: 100\r\n\r\n"), "stopped at 0 of 100 bytes"},
		{"in a chunk", serveThenHang(t, ok+"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), "stopped at 3 bytes"},
		{"drop by drop", drip, "less than 1 KiB per second for 50ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := io.ReadAll(open(t, h, test.url))
			wantFailure(t, err, events.CodeSourceStalled, test.part)
		})
	}
}

var errHungUp = errors.New("hung up")

// pacedReader gives size bytes every pause, until it is hung up on.
type pacedReader struct {
	pause  time.Duration
	size   int
	hungUp context.Context
}

func (r *pacedReader) Read(p []byte) (int, error) {
	select {
	case <-time.After(r.pause):
		return min(r.size, len(p)), nil
	case <-r.hungUp.Done():
		return 0, errHungUp
	}
}

func TestStallReaderKeepsTheDefaultRate(t *testing.T) {
	limits := DefaultConfig().Limits
	tests := []struct {
		name    string
		pace    pacedReader
		stalled time.Duration // 0 for never
	}{
		{"above the rate", pacedReader{pause: time.Second, size: 1100}, 0},
		{"just the rate", pacedReader{pause: time.Second / 2, size: 520}, 0},
		{"below the rate", pacedReader{pause: time.Second, size: 1000}, time.Minute},
		{"a burst just in time", pacedReader{pause: 59 * time.Second, size: 60 << 10}, 0},
		{"a burst too late", pacedReader{pause: 61 * time.Second, size: 60 << 10}, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pace := test.pace
				ctx, hangUp := context.WithCancel(t.Context())
				pace.hungUp = ctx
				r := newStallReader(&pace, limits.StallWindow, limits.StallRate, hangUp)
				start := time.Now()
				var err error
				for err == nil && time.Since(start) < time.Hour {
					_, err = r.Read(make([]byte, 64<<10))
				}
				if test.stalled == 0 && err != nil {
					t.Errorf("stalled after %s", time.Since(start))
				}
				if test.stalled != 0 && (err == nil || time.Since(start) != test.stalled) {
					t.Errorf("error %v after %s, want a stall after %s", err, time.Since(start), test.stalled)
				}
			})
		})
	}
}

func TestStallReaderForgivesASlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		pace := pacedReader{pause: time.Second, size: 10 << 10, hungUp: ctx}
		r := newStallReader(&pace, time.Minute, 1<<10, hangUp)
		for range 30 {
			if _, err := r.Read(make([]byte, 64<<10)); err != nil {
				t.Fatal(err)
			}
			<-time.After(10 * time.Minute) // the consumer is busy
		}
	})
}
