package source

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/testenv"
	"sluice/pkg/events"
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
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func zstded(t testing.TB, text string, options ...zstd.EOption) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

// bzipped are "id,name\n1,a\n" and nothing at all, as the bzip2 command packs them: the standard library only unpacks.
var (
	bzipped      = decoded("QlpoOTFBWSZTWci74usAAATZAAAQAAQgACYjIAAxBkxBAek0IELnw14u5IpwoSGRd8XW")
	bzippedEmpty = decoded("QlpoORdyRThQkAAAAAA=")
)

func decoded(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

// stored returns a source that may read the file with the content, and its address.
func stored(t testing.TB, content []byte, change ...func(*Config)) (*Opener, string) {
	t.Helper()
	path := filepath.Join(testenv.Dir(t), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	config := DefaultConfig()
	config.Folders = []string{filepath.Dir(path)}
	for _, c := range change {
		c(&config)
	}
	o, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return o, "file://" + path
}

// unpacked reads a file with the content to its end.
func unpacked(t testing.TB, content []byte, change ...func(*Config)) (string, *Body, error) {
	t.Helper()
	return unpackedMember(t, content, "", change...)
}

func unpackedMember(t testing.TB, content []byte, member string, change ...func(*Config)) (string, *Body, error) {
	t.Helper()
	o, url := stored(t, content, change...)
	body, err := o.Open(t.Context(), Request{URL: url, Member: member})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { body.Close() })
	text, err := io.ReadAll(body)
	return string(text), body, err
}

func TestUnpack(t *testing.T) {
	half := len(table) / 2
	for name, tt := range map[string]struct {
		content    []byte
		want, kind string
	}{
		"text":                      {[]byte(table), table, ""},
		"nothing":                   {nil, "", ""},
		"one byte of a magic":       {[]byte("\x1F"), "\x1F", ""},
		"three bytes of a magic":    {[]byte("PK\x03"), "PK\x03", ""},
		"header like bzip2":         {[]byte("BZh9,a\n1,2\n"), "BZh9,a\n1,2\n", ""},
		"gzip":                      {gzipped(t, table), table, kindGzip},
		"gzip of nothing":           {gzipped(t, ""), "", kindGzip},
		"gzip of several members":   {slices.Concat(gzipped(t, table[:half]), gzipped(t, ""), gzipped(t, table[half:])), table, kindGzip},
		"gzip with a name":          {decoded("H4sICAAAAAAC/2EuY3N2AEvUSeICAMUQlyQEAAAA"), "a,b\n", kindGzip},
		"zstd":                      {zstded(t, table), table, kindZstd},
		"zstd of several frames":    {slices.Concat(zstded(t, table[:half]), zstded(t, table[half:])), table, kindZstd},
		"zstd with skippable frame": {slices.Concat([]byte("\x50\x2A\x4D\x18\x02\x00\x00\x00xx"), zstded(t, table)), table, kindZstd},
		"bzip2":                     {bzipped, "id,name\n1,a\n", kindBzip2},
		"bzip2 of several streams":  {slices.Concat(bzipped, bzipped), "id,name\n1,a\nid,name\n1,a\n", kindBzip2},
		"bzip2 of nothing":          {bzippedEmpty, "", kindBzip2},
		"gzip of gzip":              {gzipped(t, string(gzipped(t, table))), string(gzipped(t, table)), kindGzip},
	} {
		t.Run(name, func(t *testing.T) {
			text, body, err := unpacked(t, tt.content)
			if err != nil || text != tt.want {
				t.Fatalf("read %d bytes, %v; want %d", len(text), err, len(tt.want))
			}
			if body.Compression() != tt.kind || body.Validator().Compression != tt.kind {
				t.Errorf("compressed with %q, and by the validator with %q", body.Compression(), body.Validator().Compression)
			}
			sum := sha256.Sum256(tt.content)
			if body.Checksum() != "sha256:"+hex.EncodeToString(sum[:]) {
				t.Error("the checksum is not that of the file as it was sent")
			}
			if size, known := body.Size(); !known || size != int64(len(tt.content)) || body.Sent() != size || body.Offset() != int64(len(tt.want)) {
				t.Errorf("size %d, sent %d, offset %d", size, body.Sent(), body.Offset())
			}
		})
	}
}

// TestLabelsDoNotCount holds that the bytes tell how a file is compressed, whatever the server says.
func TestLabelsDoNotCount(t *testing.T) {
	packed := string(gzipped(t, table))
	for name, answer := range map[string]string{
		"gzip called text":       "Content-Type: text/csv\r\n\r\n" + packed,
		"gzip called encoded":    "Content-Encoding: gzip\r\n\r\n" + packed,
		"gzip called both":       "Content-Type: application/gzip\r\nContent-Encoding: x-gzip\r\n\r\n" + packed,
		"gzip called zstd":       "Content-Encoding: zstd\r\n\r\n" + packed,
		"text called gzip":       "Content-Type: application/gzip\r\n\r\n" + table,
		"text called encoded":    "Content-Encoding: gzip\r\n\r\n" + table,
		"zstd called an archive": "Content-Type: application/zip\r\n\r\n" + string(zstded(t, table)),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := io.ReadAll(open(t, newSource(t), serveText(t, ok+answer)))
			if err != nil || string(text) != table {
				t.Errorf("read %d bytes, %v", len(text), err)
			}
		})
	}
}

func TestUnpackTrailing(t *testing.T) {
	for kind, packed := range map[string][]byte{kindGzip: gzipped(t, table), kindZstd: zstded(t, table)} {
		for name, more := range map[string]string{"text": "a,b\n1,2\n", "zeros": "\x00\x00\x00\x00\x00", "one byte": "x", "half a magic": "\x1F"} {
			t.Run(kind+" and "+name, func(t *testing.T) {
				text, _, err := unpacked(t, slices.Concat(packed, []byte(more)))
				part := fmt.Sprintf("at byte %d", len(packed))
				if name == "half a magic" || kind == kindZstd && len(more) < 4 { // which may be a frame that is cut
					part = "middle of its " + kind + " data"
				}
				wantFailure(t, err, events.CodeSourceCorrupt, part)
				if text != table {
					t.Errorf("read %d bytes before", len(text))
				}
			})
		}
	}
	_, _, err := unpacked(t, slices.Concat(bzipped, []byte("a,b\n")))
	wantFailure(t, err, events.CodeSourceCorrupt, "near byte")
}

// TestUnpackCut cuts a compressed file at each byte.
func TestUnpackCut(t *testing.T) {
	text := "id,name\n1,a\n2,bb\n3,a\n"
	for kind, packed := range map[string][]byte{kindGzip: gzipped(t, text), kindZstd: zstded(t, text), kindBzip2: bzipped} {
		for end := 10; end < len(packed); end++ {
			if _, _, err := unpacked(t, packed[:end]); !isFailure(err, events.CodeSourceCorrupt) {
				t.Errorf("%s cut at byte %d: %v", kind, end, err)
			}
		}
		url := serveText(t, ok+"\r\n"+string(packed[:len(packed)-1]))
		wantFailure(t, fetchErr(t, newSource(t), url), events.CodeSourceTruncated, "middle of its "+kind+" data")
		url = serveText(t, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok, len(packed), packed[:len(packed)-1]))
		wantFailure(t, fetchErr(t, newSource(t), url), events.CodeSourceTruncated, "broke off")
	}
}

// TestUnpackFlipped changes each bit: what is read is either the text or an error.
func TestUnpackFlipped(t *testing.T) {
	text := "id,name\n1,a\n2,bb\n3,a\n"
	checked := zstd.WithEncoderCRC(true)
	for kind, packed := range map[string][]byte{kindGzip: gzipped(t, text), kindZstd: zstded(t, text, checked)} {
		for bit := 8 * 4; bit < 8*len(packed); bit++ {
			flipped := slices.Clone(packed)
			flipped[bit/8] ^= 1 << (bit % 8)
			got, _, err := unpacked(t, flipped)
			var failure *events.Failure
			if err == nil && got != text || err != nil && !errors.As(err, &failure) {
				t.Errorf("%s with bit %d changed: read %q, %v", kind, bit, got, err)
			}
		}
	}
}

func isFailure(err error, code events.Code) bool {
	var failure *events.Failure
	return errors.As(err, &failure) && failure.Code == code
}

func TestUnpackBombs(t *testing.T) {
	bomb := strings.Repeat("0", 64<<20)
	packed := map[string][]byte{
		kindGzip: gzipped(t, bomb), kindZstd: zstded(t, bomb, zstd.WithZeroFrames(true)), kindZip: archive(t, member{name: "a.csv", text: bomb}),
		"zip, in a member that is left out": archive(t, member{name: "a.bin", text: bomb}, member{name: "b.csv", text: "a\n"}),
	}
	for kind, content := range packed {
		t.Run(kind, func(t *testing.T) {
			text, body, err := unpacked(t, content)
			wantFailure(t, err, events.CodeCompressionRatio, "more than 200 times", "SLUICE_SOURCE_RATIO")
			if len(text) > 12<<20 || body.Offset() > 12<<20 {
				t.Errorf("%d bytes were read", len(text))
			}
		})
		t.Run(kind+", allowed", func(t *testing.T) {
			if _, _, err := unpacked(t, content, func(c *Config) { c.Ratio = 1 << 20 }); err != nil {
				t.Error(err)
			}
		})
		t.Run(kind+", too large", func(t *testing.T) {
			if strings.Contains(kind, ",") {
				return // what is left out is of any size
			}
			text, _, err := unpacked(t, content, func(c *Config) { c.TextSize = 1 << 20 })
			wantFailure(t, err, events.CodeSourceTooLarge, "1 MiB", "SLUICE_SOURCE_TEXT_BYTES")
			if len(text) != 1<<20 {
				t.Errorf("read %d bytes", len(text))
			}
		})
	}
	t.Run("small", func(t *testing.T) {
		if _, _, err := unpacked(t, gzipped(t, bomb[:9<<20])); err != nil {
			t.Error(err)
		}
	})
}

func TestUnpackWindow(t *testing.T) {
	// A frame that asks for a window of 2 GiB (RFC 8878, section 3.1.1.1.2).
	_, _, err := unpacked(t, []byte("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00"))
	wantFailure(t, err, events.CodeSourceUnsupported, "128 MiB", "long window")
}

func TestUnpackMemberOfNoArchive(t *testing.T) {
	for name, content := range map[string][]byte{"text": []byte(table), "gzip": gzipped(t, table)} {
		t.Run(name, func(t *testing.T) {
			_, _, err := unpackedMember(t, content, "a.csv")
			wantFailure(t, err, events.CodeMemberNotFound, "no zip archive", `"a.csv"`)
		})
	}
}

// TestUnpackResumed goes on with a compressed file by its marks: the server is asked for all of it.
func TestUnpackResumed(t *testing.T) {
	packed := string(gzipped(t, table))
	changed := string(gzipped(t, strings.Replace(table, "name 1\n", "name 2\n", 1)))
	for name, tt := range map[string]struct {
		then    answering
		changed bool
	}{
		"proven":                      {wholeOf(packed, "ETag", tag), false},
		"by marks":                    {wholeOf(packed), false},
		"by marks, of unknown length": {chunked(wholeOf(packed)), false},
		"packed otherwise":            {chunked(wholeOf(string(zstded(t, table)))), false},
		"plain now":                   {chunked(wholeOf(table)), false},
		"packed to another length":    {wholeOf(string(zstded(t, table))), true},
		"another text":                {chunked(wholeOf(changed)), true},
		"another ETag":                {wholeOf(packed, "ETag", `"v2"`), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTwice(t, wholeOf(packed, "ETag", tag), tt.then)
			at := s.readTo(t, readAt)
			if at.Was.Compression != kindGzip || at.Offset != readAt {
				t.Fatalf("read to %d of %+v", at.Offset, at.Was)
			}
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err == nil {
				defer body.Close()
				if body.Offset() != 0 || body.Validator().Compression != kindGzip {
					t.Errorf("starts at %d with %+v", body.Offset(), body.Validator())
				}
				_, err = io.Copy(io.Discard, body)
			}
			if errors.Is(err, ErrChanged) != tt.changed || !tt.changed && err != nil {
				t.Errorf("error %v", err)
			}
			s.wantRequests(t, " ", " ")
		})
	}
}
