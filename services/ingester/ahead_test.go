package ingester

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// handed is a file that comes in the pieces that a test hands over, until it is closed.
type handed struct {
	pieces  chan string
	waiting chan struct{} // gets a token for each read that begins
	closed  chan struct{}
}

func newHanded() *handed {
	return &handed{pieces: make(chan string), waiting: make(chan struct{}, 100), closed: make(chan struct{})}
}

func (h *handed) Read(p []byte) (int, error) {
	h.waiting <- struct{}{}
	select {
	case piece := <-h.pieces:
		return copy(p, piece), nil
	case <-h.closed:
		return 0, io.ErrClosedPipe
	}
}

func (h *handed) closeWith(a *ahead) {
	close(h.closed)
	a.close()
}

func readString(t *testing.T, from io.Reader, n int) string {
	t.Helper()
	p := make([]byte, n)
	n, err := from.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

func TestAwaitTellsWhetherThereIsSomething(t *testing.T) {
	t.Parallel()
	h := newHanded()
	a := readAhead(h, nil)
	defer h.closeWith(a)
	for _, patience := range []time.Duration{-time.Hour, 0, time.Millisecond} {
		if a.await(patience) {
			t.Fatalf("something came of nothing within %s", patience)
		}
	}
	h.pieces <- "abc"
	for range 3 { // to ask does not take anything away
		if !a.await(time.Hour) {
			t.Fatal("what came is not noticed")
		}
	}
	if got := readString(t, a, 2); got != "ab" {
		t.Errorf("read %q", got)
	}
	if !a.await(0) {
		t.Error("the rest of a piece is not noticed")
	}
	if got := readString(t, a, 2); got != "c" {
		t.Errorf("read %q", got)
	}
	if a.await(0) {
		t.Error("something is left of nothing")
	}
	go func() { h.pieces <- "later" }()
	if !a.await(time.Hour) {
		t.Error("what came later is not noticed")
	}
	if got := readString(t, a, 10); got != "later" {
		t.Errorf("read %q", got)
	}
}

func TestAwaitNoticesTheEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []error{io.EOF, errors.New("broken")} {
		a := readAhead(iotest.ErrReader(end), nil)
		for range 3 {
			if !a.await(time.Hour) {
				t.Fatal("the end is not noticed")
			}
			if n, err := a.Read(make([]byte, 10)); n != 0 || err != end {
				t.Errorf("read %d bytes and %v, want %v", n, err, end)
			}
		}
		a.close()
	}
}

// piecewise hands a text out in pieces of random sizes, its error with the last one or behind it.
type piecewise struct {
	text   []byte
	err    error
	rnd    *rand.Rand
	joined bool
}

func (r *piecewise) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), r.rnd.IntN(len(p)+1))], r.text)
	r.text = r.text[n:]
	if len(r.text) == 0 && (r.joined || n == 0) {
		return n, r.err
	}
	return n, nil
}

func TestAheadReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	rapid.Check(t, func(t *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		text := make([]byte, rapid.SampledFrom([]int{0, 1, 1000, aheadSize, aheadPieces*aheadSize + 1, 8 * aheadSize}).Draw(t, "size"))
		for i := range text {
			text[i] = byte(rnd.Uint32())
		}
		end := rapid.SampledFrom([]error{io.EOF, errBroken}).Draw(t, "end")
		a := readAhead(&piecewise{text: text, err: end, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 1)), joined: rapid.Bool().Draw(t, "joined")}, nil)
		defer a.close()
		var got []byte
		p := make([]byte, rapid.SampledFrom([]int{7000, 100_000, 3 * aheadSize}).Draw(t, "read"))
		for {
			if rnd.IntN(4) == 0 {
				a.await(time.Duration(rnd.IntN(2)) * time.Hour)
			}
			n, err := a.Read(p[:1+rnd.IntN(len(p))])
			got = append(got, p[:n]...)
			if err != nil {
				if err != end || n > 0 {
					t.Errorf("%d bytes with %v, want none with %v", n, err, end)
				}
				break
			}
		}
		if !bytes.Equal(got, text) {
			t.Fatalf("read are %d bytes, want %d, or they differ", len(got), len(text))
		}
	})
}

func TestAheadKeepsToItsPieces(t *testing.T) {
	t.Parallel()
	h := newHanded()
	a := readAhead(h, nil)
	defer h.closeWith(a)
	for range aheadPieces {
		<-h.waiting
		h.pieces <- "x"
	}
	if got := readString(t, a, 1); got != "x" { // which is still in hand
		t.Errorf("read %q", got)
	}
	select {
	case <-h.waiting:
		t.Fatal("more is read than there are pieces")
	default:
	}
	readString(t, a, 1)
	<-h.waiting
}

func TestCloseWaitsForTheRead(t *testing.T) {
	t.Parallel()
	h := newHanded()
	a := readAhead(h, nil)
	<-h.waiting
	closed := make(chan struct{})
	go func() {
		a.close()
		close(closed)
	}()
	<-a.stopped
	select {
	case <-closed:
		t.Error("it is closed beside a read")
	case <-a.ended:
		t.Error("it has ended beside a read")
	default:
	}
	close(h.closed)
	<-closed
	select {
	case <-a.ended:
	default:
		t.Error("the goroutine is left behind")
	}
}

func TestCloseEndsTheReading(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*ahead{
		"all pieces full": readAhead(bytes.NewReader(make([]byte, 8*aheadSize)), nil),
		"at the end":      readAhead(bytes.NewReader(nil), nil),
		"after an error":  readAhead(iotest.ErrReader(io.ErrUnexpectedEOF), nil),
	} {
		a.await(time.Hour)
		a.close()
		select {
		case <-a.ended:
		default:
			t.Errorf("%s: the goroutine is left behind", name)
		}
	}
}

// TestAwaitSeesWhatIsThere asks without any patience, many times: of two that are ready, a select takes either.
func TestAwaitSeesWhatIsThere(t *testing.T) {
	t.Parallel()
	for range 10_000 {
		a := &ahead{pieces: make(chan piece, 1)}
		a.pieces <- piece{bytes: []byte("x")}
		if !a.await(-time.Hour) {
			t.Fatal("what is there is not noticed")
		}
	}
}
