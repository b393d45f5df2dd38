package e2e

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"sluice/internal/testenv"
)

// slowSource is a file whose sending stops halfway until it is told to go on.
type slowSource struct {
	url  string
	once sync.Once
	on   chan struct{}
}

const slowRows = 20_000

// serveSlowly serves a file of slowRows rows, half of it at first.
func serveSlowly(t testing.TB) *slowSource {
	t.Helper()
	half := func(from int) string {
		var rows strings.Builder
		for n := from; n < from+slowRows/2; n++ {
			fmt.Fprintf(&rows, "%d,%s\n", n, strings.Repeat("x", n%100))
		}
		return rows.String()
	}
	s := &slowSource{on: make(chan struct{})}
	s.url = testenv.StartWeb(t).On("/slow.csv", testenv.Answer{
		testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk("n,text\n" + half(0)), testenv.Await(s.on),
		testenv.Chunk(half(slowRows / 2)), testenv.Chunk(""),
	})
	return s
}

// goOn lets this sending and every later one come to its end.
func (s *slowSource) goOn() { s.once.Do(func() { close(s.on) }) }

// deadAddress is an address on which nobody listens, and nobody else can meanwhile.
func deadAddress(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	bound, ok := name.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		t.Fatalf("the address is %v (%v)", name, err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.Port)
}
