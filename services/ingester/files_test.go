package ingester_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"sluice/internal/testenv"
)

// halfway serves a file of numbered rows whose second half can be held back.
type halfway struct {
	web  *testenv.Web
	url  string
	rows int64
	open chan struct{} // closed when nothing is held back any more
	once sync.Once
	left chan struct{} // gets a token for each request that ends
}

// holding returns a file of which the first requests stop in the middle.
func holding(t testing.TB, requests int) *halfway {
	t.Helper()
	const rows = 20000
	h := &halfway{web: testenv.StartWeb(t), rows: rows, open: make(chan struct{}), left: make(chan struct{}, 1000)}
	head, tail := numbered(rows)
	held := testenv.Answer{
		testenv.Head(200, fmt.Sprint("Content-Length: ", len(head)+len(tail))),
		testenv.Send(head), testenv.Await(h.open), testenv.Send(tail),
	}
	h.url = h.web.On("/file.csv", append(slices.Repeat([]testenv.Answer{h.telling(held)}, requests), h.telling(testenv.File(head+tail)))...)
	return h
}

// telling makes an answer that tells of its end.
func (h *halfway) telling(a testenv.Answer) testenv.Answer {
	return testenv.Answer{func(c *testenv.Call) error {
		defer func() { h.left <- struct{}{} }()
		return a.Do(c)
	}}
}

// release lets all requests through.
func (h *halfway) release() { h.once.Do(func() { close(h.open) }) }

func (h *halfway) asked() int { return len(h.web.Requests()) }

// served returns the URL of a small file of numbered rows, and their number.
func served(t testing.TB) (url string, rows int64) {
	t.Helper()
	h := holding(t, 0)
	return h.url, h.rows
}

// missing returns a URL without a file.
func missing(t testing.TB) string {
	t.Helper()
	return testenv.StartWeb(t).URL + "/file.csv"
}
