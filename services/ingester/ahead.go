package ingester

import (
	"io"
	"time"
)

const (
	aheadPieces = 4
	aheadSize   = 128 << 10 // bytes of a piece
)

// ahead reads a file a little ahead of whoever needs it, in a goroutine of its own, so that they need not wait for a file
// that does not come.
type ahead struct {
	pieces  chan piece
	spare   chan []byte
	stopped chan struct{}
	ended   chan struct{}
	hurry   <-chan struct{}

	piece piece // in hand
	read  int   // of it
}

// piece is what one read brought.
type piece struct {
	bytes  []byte
	err    error
	buffer []byte
}

// readAhead begins to read. Nobody waits any more, in await, once hurry is closed.
func readAhead(from io.Reader, hurry <-chan struct{}) *ahead {
	a := &ahead{
		hurry:  hurry,
		pieces: make(chan piece, aheadPieces), spare: make(chan []byte, aheadPieces),
		stopped: make(chan struct{}), ended: make(chan struct{}),
	}
	for range aheadPieces {
		a.spare <- nil // made when it is needed: most files are small
	}
	go a.run(from)
	return a
}

func (a *ahead) run(from io.Reader) {
	defer close(a.ended)
	for {
		var buffer []byte
		select {
		case buffer = <-a.spare:
		case <-a.stopped:
			return
		}
		if buffer == nil {
			buffer = make([]byte, aheadSize)
		}
		n, err := from.Read(buffer)
		a.pieces <- piece{buffer[:n], err, buffer} // there is room for as many as there are buffers
		if err != nil {
			return
		}
	}
}

// close ends the reading. It waits for the read that is under way, so that the file is to be closed first.
func (a *ahead) close() {
	close(a.stopped)
	<-a.ended
}

// await reports whether a read would return at once, and waits so long until it would, unless there is a hurry.
func (a *ahead) await(patience time.Duration) bool {
	if a.read < len(a.piece.bytes) || a.piece.err != nil {
		return true
	}
	select { // first, as a timer that has run out may be noticed before what is there
	case next := <-a.pieces:
		a.take(next)
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case next := <-a.pieces:
		a.take(next)
		return true
	case <-timer.C:
		return false
	case <-a.hurry:
		return false
	}
}

// Read implements [io.Reader].
func (a *ahead) Read(p []byte) (int, error) {
	for a.read == len(a.piece.bytes) {
		if a.piece.err != nil {
			return 0, a.piece.err
		}
		a.take(<-a.pieces)
	}
	n := copy(p, a.piece.bytes[a.read:])
	a.read += n
	return n, nil
}

func (a *ahead) take(next piece) {
	if a.piece.buffer != nil {
		a.spare <- a.piece.buffer
	}
	a.piece, a.read = next, 0
}
