package unpack_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester/source/unpack"
)

// table is a text that is worth compressing.
var table = func() string {
	var text strings.Builder
	text.WriteString("id,name\n")
	for n := range 3000 {
		fmt.Fprintf(&text, "%d,name %d\n", n, n*n%7919)
	}
	return text.String()
}()

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	return []byte(testenv.Gzip(t, text))
}

func zstded(t testing.TB, text string, options ...zstd.EOption) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

// bzipped is "id,name\n1,a\n", as the bzip2 command packs it: the standard library only unpacks.
var bzipped = func() []byte {
	data, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWci74usAAATZAAAQAAQgACYjIAAxBkxBAek0IELnw14u5IpwoSGRd8XW")
	if err != nil {
		panic(err)
	}
	return data
}()

type address string

func (a address) String() string { return string(a) }

// file is a whole file of a kind that its first bytes tell.
func file(t testing.TB, content []byte, change ...func(*unpack.File)) unpack.File {
	t.Helper()
	kind, _ := unpack.KindOf(content)
	if kind == unpack.None {
		t.Fatal("it is not compressed")
	}
	f := unpack.File{Kind: kind, Packed: bytes.NewReader(content), At: address("http://files.test/a"), Framed: true, Ratio: 200}
	for _, c := range change {
		c(&f)
	}
	return f
}

func unpacked(t testing.TB, content []byte, change ...func(*unpack.File)) (string, error) {
	t.Helper()
	text, err := io.ReadAll(unpack.New(file(t, content, change...)))
	return string(text), err
}

func member(name string) func(*unpack.File) { return func(f *unpack.File) { f.Member = name } }

// wantFailure checks that err is a failure of the code whose message contains each of parts.
func wantFailure(t *testing.T, err error, code events.Code, parts ...string) {
	t.Helper()
	var failure *events.Failure
	if !errors.As(err, &failure) || failure.Code != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	for _, part := range append(parts, "http://files.test/a", "; ") {
		if !strings.Contains(failure.Message, part) {
			t.Errorf("message %q lacks %q", failure.Message, part)
		}
	}
}

// TestReadersAreProper reads in all sizes.
func TestReadersAreProper(t *testing.T) {
	for kind, packed := range map[string][]byte{
		"gzip": slices.Concat(gzipped(t, table[:100]), gzipped(t, table[100:])), "zstd": zstded(t, table),
		"zip": archive(t, entry{name: "a.csv", text: table}), "zip, stored": archive(t, entry{name: "a.csv", text: tricky, stored: true}),
	} {
		t.Run(kind, func(t *testing.T) {
			want := table
			if kind == "zip, stored" {
				want = tricky
			}
			for name, slow := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader, "one byte": iotest.OneByteReader, "data and error": iotest.DataErrReader,
			} {
				f := file(t, packed)
				f.Packed = slow(f.Packed)
				if err := iotest.TestReader(unpack.New(f), []byte(want)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestErrorsOfTheSource holds that what the packed bytes fail with is passed on as it is.
func TestErrorsOfTheSource(t *testing.T) {
	broken := errors.New("broken")
	for kind, packed := range map[string][]byte{
		"gzip": gzipped(t, table), "zstd": zstded(t, table), "bzip2": bzipped, "zip": archive(t, entry{name: "a.csv", text: table}),
		"zip, stored": archive(t, entry{name: "a.csv", text: table, stored: true, sized: true}),
	} {
		for end := 4; end <= len(packed); end += 1 + len(packed)/50 {
			f := file(t, packed)
			f.Packed = io.MultiReader(bytes.NewReader(packed[:end]), iotest.ErrReader(broken))
			if _, err := io.Copy(io.Discard, unpack.New(f)); err != broken {
				t.Errorf("%s at byte %d: error %v", kind, end, err)
			}
		}
	}
}

func TestTrailing(t *testing.T) {
	for kind, packed := range map[string][]byte{"gzip": gzipped(t, table), "zstd": zstded(t, table)} {
		for name, more := range map[string]string{"text": "a,b\n1,2\n", "zeros, and then more": "\x00\x00\x00\x00\x00x", "one byte": "x", "half a magic": "\x1F"} {
			t.Run(kind+" and "+name, func(t *testing.T) {
				text, err := unpacked(t, slices.Concat(packed, []byte(more)))
				part := fmt.Sprintf("at byte %d", len(packed))
				if kind == "gzip" && more[0] == 0 { // which may be padding
					part = fmt.Sprintf("at byte %d", len(packed)+len(more)-1)
				}
				if name == "half a magic" || kind == "zstd" && len(more) < 4 { // which may be a frame that is cut
					part = "middle of its " + kind + " data"
				}
				wantFailure(t, err, events.CodeSourceCorrupt, part)
				if text != table {
					t.Errorf("read %d bytes before", len(text))
				}
			})
		}
	}
	for kind, packed := range map[string][]byte{"gzip": gzipped(t, table), "zip": archive(t, entry{name: "a.csv", text: table})} {
		if text, err := unpacked(t, append(packed, make([]byte, 10_000)...)); err != nil || text != table {
			t.Errorf("%s, padded with zeros: read %d bytes, %v", kind, len(text), err)
		}
	}
	_, err := unpacked(t, slices.Concat(bzipped, []byte("a,b\n")))
	wantFailure(t, err, events.CodeSourceCorrupt, "near byte")
}

// TestCut cuts a compressed file at each byte.
func TestCut(t *testing.T) {
	text := "id,name\n1,a\n2,bb\n3,a\n"
	for kind, packed := range map[string][]byte{
		"gzip": gzipped(t, text), "zstd": zstded(t, text), "bzip2": bzipped, "zip": archive(t, entry{name: "a.csv", text: text}),
	} {
		for end := 10; end < len(packed); end++ {
			part := "middle of its " + kind + " data"
			_, err := unpacked(t, packed[:end])
			wantFailure(t, err, events.CodeSourceCorrupt, part)
			_, err = unpacked(t, packed[:end], func(f *unpack.File) { f.Framed = false })
			wantFailure(t, err, events.CodeSourceTruncated, part)
		}
	}
}

// TestFlipped changes each bit: what is read is either the text or an error.
func TestFlipped(t *testing.T) {
	text := "id,name\n1,a\n2,bb\n3,a\n"
	checked := zstd.WithEncoderCRC(true)
	for kind, packed := range map[string][]byte{"gzip": gzipped(t, text), "zip": archive(t, entry{name: "a.csv", text: text}), "zstd": zstded(t, text, checked)} {
		for bit := 8 * 4; bit < 8*len(packed); bit++ {
			flipped := slices.Clone(packed)
			flipped[bit/8] ^= 1 << (bit % 8)
			got, err := unpacked(t, flipped)
			var failure *events.Failure
			if err == nil && got != text || err != nil && !errors.As(err, &failure) {
				t.Errorf("%s with bit %d changed: read %q, %v", kind, bit, got, err)
			}
		}
	}
}

func TestBombs(t *testing.T) {
	bomb := strings.Repeat("0", 64<<20)
	for name, content := range map[string][]byte{
		"gzip": gzipped(t, bomb), "zstd": zstded(t, bomb), "zip": archive(t, entry{name: "a.csv", text: bomb}),
		"gzip in a row":                 bytes.Repeat(gzipped(t, bomb[:1<<20]), 64),
		"zip, in what is left out":      archive(t, entry{name: "a.bin", text: bomb}, entry{name: "b.csv", text: "a\n"}),
		"zip, in much that is left out": archive(t, append(slices.Repeat([]entry{{name: "a.bin", text: bomb[:8<<20]}}, 8), entry{name: "b.csv", text: "a\n"})...),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := unpacked(t, content)
			wantFailure(t, err, events.CodeCompressionRatio, "more than 200 times", "SLUICE_SOURCE_RATIO")
			if len(text) > 12<<20 {
				t.Errorf("%d bytes were unpacked", len(text))
			}
			if _, err := unpacked(t, content, func(f *unpack.File) { f.Ratio = 1 << 20 }); err != nil {
				t.Errorf("allowed: %v", err)
			}
		})
	}
	if _, err := unpacked(t, gzipped(t, bomb[:9<<20])); err != nil {
		t.Errorf("small: %v", err)
	}
}

func TestWindow(t *testing.T) {
	// A frame that asks for a window of 2 GiB (RFC 8878, section 3.1.1.1.2).
	_, err := unpacked(t, []byte("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00"))
	wantFailure(t, err, events.CodeSourceUnsupported, "128 MiB", "long window")
}

func TestDictionary(t *testing.T) {
	// A frame without content that names dictionary 5 (RFC 8878, section 3.1.1.1.3).
	_, err := unpacked(t, []byte("\x28\xB5\x2F\xFD\x21\x05\x00\x01\x00\x00"))
	wantFailure(t, err, events.CodeSourceUnsupported, "dictionary")
}

func TestMemberOfNoArchive(t *testing.T) {
	_, err := unpacked(t, gzipped(t, table), member("a.csv"))
	wantFailure(t, err, events.CodeMemberNotFound, "no zip archive", `"a.csv"`)
}
