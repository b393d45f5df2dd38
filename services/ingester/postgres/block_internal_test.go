package postgres

import "testing"

func TestBuffersAreUsedAgain(t *testing.T) {
	var b buffers
	again := false
	for range 100 { // a pool may forget what it holds
		buffer := append(b.get(), 'x')
		b.put(buffer)
		next := b.get()
		if len(next) != 0 || cap(next) != BlockSize {
			t.Fatalf("a buffer of %d bytes and capacity %d", len(next), cap(next))
		}
		again = again || &next[:1][0] == &buffer[0]
	}
	if !again {
		t.Error("each buffer is a new one")
	}
}

func TestBuffersOfAnotherSizeAreNotKept(t *testing.T) {
	var b buffers
	for range 100 {
		b.put(nil)
		b.put(make([]byte, 0, BlockSize-1))
		b.put(append(b.get()[:BlockSize], 'x'))
		if next := b.get(); len(next) != 0 || cap(next) != BlockSize {
			t.Fatalf("a buffer of %d bytes and capacity %d", len(next), cap(next))
		}
	}
}
