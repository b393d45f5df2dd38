package bus_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

func TestUploadIsReadInPieces(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u := put(ctx, t, uploads, 17*chunk+100)
	other := put(ctx, t, uploads, 3*chunk) // whose chunks are not its
	r, err := uploads.Open(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != u.Name || r.MediaType != u.MediaType || r.Bytes != u.Bytes || r.SHA256 != u.SHA256 {
		t.Errorf("opened is %+v, want %+v", r.Upload, u)
	}
	hash := sha256.New()
	if n, err := io.CopyBuffer(hash, struct{ io.Reader }{r}, make([]byte, 1000)); err != nil || n != u.Bytes {
		t.Fatalf("read are %d bytes (%v)", n, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != u.SHA256 {
		t.Error("what is read is not what was uploaded")
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("behind the end there are %d bytes (%v)", n, err)
	}
	content(ctx, t, uploads, other)
	r, err = uploads.Open(ctx, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(r, all(t, &numbers{size: 3 * chunk})); err != nil {
		t.Error(err)
	}
}

func TestClosedUploadIsNotRead(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	r, err := uploads.Open(ctx, put(ctx, t, uploads, 3*chunk).ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, chunk)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d bytes are read (%v)", n, err)
		}
	}
}

// TestNoUploadIsReadShort holds that what is not all of an upload does not end as if it were.
func TestNoUploadIsReadShort(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	js := openJetStream(t, b)
	for name, tt := range map[string]struct {
		damage func(t *testing.T, u bus.Upload)
		want   error
	}{
		"a chunk is missing":        {func(t *testing.T, u bus.Upload) { deleteChunk(ctx, t, b, u, 11) }, bus.ErrUploadDamaged},
		"the first chunk":           {func(t *testing.T, u bus.Upload) { deleteChunk(ctx, t, b, u, 0) }, bus.ErrUploadDamaged},
		"the last chunk is missing": {func(t *testing.T, u bus.Upload) { deleteChunk(ctx, t, b, u, 19) }, bus.ErrUploadDamaged},
		"a chunk is another one": {func(t *testing.T, u bus.Upload) {
			deleteChunk(ctx, t, b, u, 19)
			if _, err := js.Publish(ctx, "$O.uploads.C."+u.ID, make([]byte, chunk)); err != nil {
				t.Fatal(err)
			}
		}, bus.ErrUploadDamaged},
		"it is removed": {func(t *testing.T, u bus.Upload) {
			if err := b.Uploads.Remove(ctx, info(ctx, t, b.Uploads, u.ID)); err != nil {
				t.Fatal(err)
			}
		}, bus.ErrUploadNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			u := put(ctx, t, b.Uploads, 20*chunk)
			r, err := b.Uploads.Open(ctx, u.ID)
			if err != nil {
				t.Fatal(err)
			}
			tt.damage(t, u)
			n, err := io.Copy(io.Discard, r)
			if !errors.Is(err, tt.want) {
				t.Errorf("read are %d bytes of %d (%v), want %v", n, u.Bytes, err, tt.want)
			}
			if _, again := r.Read(make([]byte, 1)); again == nil || again.Error() != err.Error() {
				t.Errorf("read again: %v", again)
			}
		})
	}
}

// deleteChunk deletes one of the chunks of an upload.
func deleteChunk(ctx context.Context, t testing.TB, b *bus.Bus, u bus.Upload, number int) {
	t.Helper()
	stream, err := openJetStream(t, b).Stream(ctx, bus.UploadsStream)
	if err != nil {
		t.Fatal(err)
	}
	for sequence := uint64(1); ; sequence++ {
		msg, err := stream.GetMsg(ctx, sequence)
		if err != nil || msg.Subject != "$O.uploads.C."+u.ID {
			continue
		}
		if number == 0 {
			if err := stream.DeleteMsg(ctx, sequence); err != nil {
				t.Fatal(err)
			}
			return
		}
		number--
	}
}

// TestReaderOutlivesAnOutage holds that a reader goes on where it was when the server is back.
func TestReaderOutlivesAnOutage(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	u := put(ctx, t, b.Uploads, 40*chunk)
	r, err := b.Uploads.Open(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, r, 10*chunk+17); err != nil {
		t.Fatal(err)
	}
	lost := b.Conn.StatusChanged(nats.RECONNECTING)
	n.Stop()
	await(ctx, t, lost)
	reading := make(chan error, 1)
	go func() { _, err := io.Copy(hash, r); reading <- err }()
	select {
	case err := <-reading:
		t.Fatalf("it ended in the outage: %v", err)
	case <-time.After(time.Second):
	}
	n.Start()
	if err := <-reading; err != nil || hex.EncodeToString(hash.Sum(nil)) != u.SHA256 {
		t.Errorf("read further after the outage: %v", err)
	}
}

func TestReaderEndsWithItsContext(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("worker")
	u := put(ctx, t, b.Uploads, 40*chunk)
	reading, stop := context.WithCancel(ctx)
	r, err := b.Uploads.Open(reading, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	lost := b.Conn.StatusChanged(nats.RECONNECTING)
	n.Stop()
	await(ctx, t, lost)
	stop()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was ended", err)
	}
}

func all(t testing.TB, r io.Reader) []byte {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
