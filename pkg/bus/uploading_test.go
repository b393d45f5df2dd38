package bus_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"sluice/internal/testenv"
	"sluice/pkg/bus"
)

// chunk is how many bytes lie in one message.
const chunk = 512 << 10

func TestUploadIsStoredAsItIs(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	for name, body := range map[string]struct {
		size int64
		as   func(io.Reader) io.Reader
	}{
		"a byte":                    {1, nil},
		"a byte less than a chunk":  {chunk - 1, nil},
		"a chunk":                   {chunk, nil},
		"a byte more than a chunk":  {chunk + 1, nil},
		"several chunks":            {3 * chunk, nil},
		"more than is in flight":    {40*chunk + 7, nil},
		"by the byte":               {chunk + 9, iotest.OneByteReader},
		"by halves":                 {5*chunk + 3, iotest.HalfReader},
		"with the end in one piece": {2 * chunk, iotest.DataErrReader},
	} {
		t.Run(name, func(t *testing.T) {
			source := &numbers{size: body.size, hash: sha256.New()}
			var reader io.Reader = source
			if body.as != nil {
				reader = body.as(source)
			}
			begun := time.Now()
			u, err := uploads.Put(ctx, "trips.csv", "text/csv; charset=utf-8", reader)
			if err != nil {
				t.Fatal(err)
			}
			id, err := uuid.Parse(u.ID)
			if err != nil || id.Version() != 7 {
				t.Errorf("the id is %q", u.ID)
			}
			want := bus.Upload{ID: u.ID, Name: "trips.csv", MediaType: "text/csv; charset=utf-8", Bytes: body.size, SHA256: source.sum()}
			for _, got := range []bus.Upload{u, info(ctx, t, uploads, u.ID)} {
				if got.ID != want.ID || got.Name != want.Name || got.MediaType != want.MediaType || got.Bytes != want.Bytes ||
					got.SHA256 != want.SHA256 || len(got.Jobs) != 0 || got.At.Before(begun) || time.Since(got.At) < 0 {
					t.Errorf("it is %+v, want %+v", got, want)
				}
			}
			content(ctx, t, uploads, u)
		})
	}
	all, remains := list(ctx, t, uploads)
	if len(all) != 9 || len(remains) != 0 {
		t.Errorf("there are %d uploads, and remains %+v", len(all), remains)
	}
}

func TestUploadsWithoutName(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	uploads := n.Bus("api").Uploads
	u, err := uploads.Put(ctx, "", "", strings.NewReader("a\n1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info(ctx, t, uploads, u.ID); got.Name != "" || got.MediaType != "" {
		t.Errorf("it is %+v", got)
	}
}

// TestFailedUploadLeavesNothing holds so for all ways in which one can fail while the store answers.
func TestFailedUploadLeavesNothing(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	broken := errors.New("broken")
	leaving, leave := context.WithCancel(ctx)
	left, leaveFirst := context.WithCancel(ctx)
	leaveFirst()
	for name, tt := range map[string]struct {
		ctx  context.Context
		body io.Reader
		want error
	}{
		"empty":                            {ctx, strings.NewReader(""), bus.ErrUploadEmpty},
		"broken at once":                   {ctx, iotest.ErrReader(broken), broken},
		"broken in the first chunk":        {ctx, failing(100, broken), broken},
		"broken behind a chunk":            {ctx, failing(chunk, broken), broken},
		"broken after many":                {ctx, failing(30*chunk+5, broken), broken},
		"cut off in the first chunk":       {ctx, failing(100, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		"cut off in the middle of a chunk": {ctx, failing(2*chunk+100, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		"left": {leaving, io.MultiReader(&numbers{size: 20 * chunk}, readerFunc(func([]byte) (int, error) {
			leave()
			return 0, leaving.Err()
		})), context.Canceled},
		"left before": {left, &numbers{size: 40 * chunk}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.Uploads.Put(tt.ctx, "a.csv", "", tt.body); !errors.Is(err, tt.want) || errors.Is(err, bus.ErrUnavailable) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if got := stored(ctx, t, b, bus.UploadsStream); got != 0 {
				t.Errorf("%d messages are left", got)
			}
		})
	}
}

// TestUploadIsNotVisibleHalf holds that an upload is not known before all of it is stored.
func TestUploadIsNotVisibleHalf(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	body := &gate{size: 6 * chunk, at: 6 * chunk, reached: make(chan struct{}), open: make(chan struct{})}
	put := make(chan error, 1)
	go func() { _, err := b.Uploads.Put(ctx, "a.csv", "", body); put <- err }()
	<-body.reached
	testenv.Eventually(ctx, t, "chunks are stored", func() error {
		if stored(ctx, t, b, bus.UploadsStream) < 6 {
			return errors.New("not all")
		}
		return nil
	})
	if all, _ := list(ctx, t, b.Uploads); len(all) != 0 {
		t.Errorf("there is %+v", all)
	}
	close(body.open)
	if err := <-put; err != nil {
		t.Error(err)
	}
	if all, remains := list(ctx, t, b.Uploads); len(all) != 1 || len(remains) != 0 {
		t.Errorf("there is %+v, there remains %+v", all, remains)
	}
}

// TestUploadStoreIsFull holds that it is told when there is no room, and that this room is free again.
func TestUploadStoreIsFull(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	if err := (bus.Topology{Replicas: 1, UploadBytes: 10 * chunk}).Setup(ctx, b.Conn); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := b.Uploads.Put(ctx, "a.csv", "", &numbers{size: 40 * chunk}); !errors.Is(err, bus.ErrUnavailable) {
			t.Errorf("error %v, want that there is no room", err)
		}
		if got := stored(ctx, t, b, bus.UploadsStream); got != 0 {
			t.Errorf("%d messages are left", got)
		}
	}
	content(ctx, t, b.Uploads, put(ctx, t, b.Uploads, 8*chunk))
}

// TestUploadInAnOutage holds that an upload fails soon when the server goes away, and that what it could not clear away is
// told afterwards.
func TestUploadInAnOutage(t *testing.T) {
	n, ctx := testenv.StartNATS(t), testenv.Context(t)
	b := n.Bus("api")
	body := &gate{size: 40 * chunk, at: 6 * chunk, reached: make(chan struct{}), open: make(chan struct{})}
	put := make(chan error, 1)
	go func() { _, err := b.Uploads.Put(ctx, "a.csv", "", body); put <- err }()
	<-body.reached
	lost, back := b.Conn.StatusChanged(nats.RECONNECTING), b.Conn.StatusChanged(nats.CONNECTED)
	n.Stop()
	await(ctx, t, lost)
	close(body.open)
	begun := time.Now()
	if err := <-put; !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("error %v, want that it is not available", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("told after %s", took)
	}
	n.Start()
	await(ctx, t, back)
	testenv.Eventually(ctx, t, "what remains is cleared away", func() error {
		stock, err := b.Uploads.All(ctx)
		if err != nil {
			return err
		}
		if len(stock.Uploads) != 0 || len(stock.Remains) > 1 {
			t.Fatalf("there is %+v", stock)
		}
		if len(stock.Remains) == 0 {
			return nil
		}
		return errors.Join(errors.New("look again"), b.Uploads.Clear(ctx, stock.Remains[0]))
	})
	for range 20 { // nothing is counted as being on its way that is not
		content(ctx, t, b.Uploads, uploaded(ctx, t, b.Uploads, 2*chunk))
	}
}

// put stores an upload of a size.
func put(ctx context.Context, t testing.TB, uploads *bus.Uploads, size int64) bus.Upload {
	t.Helper()
	return uploaded(ctx, t, uploads, size)
}

func uploaded(ctx context.Context, t testing.TB, uploads *bus.Uploads, size int64) bus.Upload {
	t.Helper()
	u, err := uploads.Put(ctx, "trips.csv", "text/csv", &numbers{size: size})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// content holds that an upload can be read and is what numbers are.
func content(ctx context.Context, t testing.TB, uploads *bus.Uploads, u bus.Upload) {
	t.Helper()
	r, err := uploads.Open(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	if n, err := io.Copy(hash, r); err != nil || n != u.Bytes || hex.EncodeToString(hash.Sum(nil)) != u.SHA256 {
		t.Errorf("read are %d bytes (%v), it has %d", n, err, u.Bytes)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// numbers is a file of a size whose bytes differ from chunk to chunk.
type numbers struct {
	size, at int64
	hash     hash.Hash // nil if nobody asks for it
}

func (n *numbers) Read(p []byte) (int, error) {
	if n.at == n.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), n.size-n.at)]
	for i := range p {
		at := n.at + int64(i)
		p[i] = byte(at ^ at>>8 ^ at>>16)
	}
	n.at += int64(len(p))
	if n.hash != nil {
		n.hash.Write(p)
	}
	return len(p), nil
}

func (n *numbers) sum() string { return hex.EncodeToString(n.hash.Sum(nil)) }

// gate is a file that says when it was read up to a place, and stops there until it is opened.
type gate struct {
	size, at int64
	reached  chan struct{}
	open     chan struct{}
	read     int64
}

func (g *gate) Read(p []byte) (int, error) {
	if g.read == g.at {
		close(g.reached)
		<-g.open
	}
	if g.read == g.size {
		return 0, io.EOF
	}
	limit := g.size
	if g.read < g.at {
		limit = g.at
	}
	n := min(int64(len(p)), limit-g.read)
	g.read += n
	return int(n), nil
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// failing is a file that fails at a place.
func failing(at int64, err error) io.Reader {
	return io.MultiReader(&numbers{size: at}, iotest.ErrReader(err))
}
