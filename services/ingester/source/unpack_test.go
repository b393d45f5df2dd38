package source

import (
	"bytes"
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
		content []byte
		want    string
		kind    unpack.Kind
	}{
		"text":                      {[]byte(table), table, unpack.None},
		"nothing":                   {nil, "", unpack.None},
		"one byte of a magic":       {[]byte("\x1F"), "\x1F", unpack.None},
		"three bytes of a magic":    {[]byte("PK\x03"), "PK\x03", unpack.None},
		"header like bzip2":         {[]byte("BZh9,a\n1,2\n"), "BZh9,a\n1,2\n", unpack.None},
		"gzip":                      {gzipped(t, table), table, unpack.Gzip},
		"gzip of nothing":           {gzipped(t, ""), "", unpack.Gzip},
		"gzip of several members":   {slices.Concat(gzipped(t, table[:half]), gzipped(t, ""), gzipped(t, table[half:])), table, unpack.Gzip},
		"gzip with a name":          {decoded("H4sICAAAAAAC/2EuY3N2AEvUSeICAMUQlyQEAAAA"), "a,b\n", unpack.Gzip},
		"zstd":                      {zstded(t, table), table, unpack.Zstd},
		"zstd of several frames":    {slices.Concat(zstded(t, table[:half]), zstded(t, table[half:])), table, unpack.Zstd},
		"zstd with skippable frame": {slices.Concat([]byte("\x50\x2A\x4D\x18\x02\x00\x00\x00xx"), zstded(t, table)), table, unpack.Zstd},
		"bzip2":                     {bzipped, "id,name\n1,a\n", unpack.Bzip2},
		"bzip2 of several streams":  {slices.Concat(bzipped, bzipped), "id,name\n1,a\nid,name\n1,a\n", unpack.Bzip2},
		"bzip2 of nothing":          {bzippedEmpty, "", unpack.Bzip2},
		"gzip of gzip":              {gzipped(t, string(gzipped(t, table))), string(gzipped(t, table)), unpack.Gzip},
	} {
		t.Run(name, func(t *testing.T) {
			text, body, err := unpacked(t, tt.content)
			if err != nil || text != tt.want {
				t.Fatalf("read %d bytes, %v; want %d", len(text), err, len(tt.want))
			}
			if body.Compression() != string(tt.kind) || body.Validator().Compression != string(tt.kind) {
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
			if at.Was.Compression != "gzip" || at.Offset != readAt {
				t.Fatalf("read to %d of %+v", at.Offset, at.Was)
			}
			body, err := newSource(t).Resume(t.Context(), Request{URL: s.url}, at)
			if err == nil {
				defer body.Close()
				if body.Offset() != 0 || body.Validator().Compression != "gzip" {
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

func TestUnpackTooLarge(t *testing.T) {
	packed := gzipped(t, table)
	limit := func(c *Config) { c.TextSize = 1 << 10 }
	text, body, err := unpacked(t, packed, limit)
	wantFailure(t, err, events.CodeSourceTooLarge, "1 KiB", "when it is decompressed", "SLUICE_SOURCE_TEXT_BYTES")
	if text != table[:1<<10] || body.Offset() != 1<<10 {
		t.Errorf("read %d bytes to %d", len(text), body.Offset())
	}
	if text, _, err := unpacked(t, []byte(table), limit); err != nil || text != table {
		t.Errorf("what is not compressed is bounded, too: %v", err)
	}
	o, url := stored(t, packed, func(c *Config) { c.Size = 1 << 10 })
	wantFailure(t, openErr(t, o, url), events.CodeSourceTooLarge, "1 KiB", "SLUICE_SOURCE_BYTES") // before any of it is read
}

// TestUnpackBrokenOff holds that what breaks off is not taken for damage.
func TestUnpackBrokenOff(t *testing.T) {
	packed := string(gzipped(t, table))
	for name, answer := range map[string]string{
		"announced": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(packed), packed[:len(packed)/2]),
		"chunked":   "Transfer-Encoding: chunked\r\n\r\n1000\r\n" + packed[:0x800],
		"closed":    "\r\n" + packed[:len(packed)/2],
	} {
		t.Run(name, func(t *testing.T) {
			wantFailure(t, fetchErr(t, newSource(t), serveText(t, ok+answer)), events.CodeSourceTruncated)
		})
	}
}

// TestSentIsTold holds that it is known how far a compressed file was read although nothing has come of it yet.
func TestSentIsTold(t *testing.T) {
	empty := bytes.Repeat(gzipped(t, ""), 50_000)
	o, url := stored(t, slices.Concat(empty, gzipped(t, table)))
	body := open(t, o, url)
	var told []int64
	body.OnSent(func(sent int64) { told = append(told, sent) })
	if _, err := body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if len(told) < 10 || !slices.IsSorted(told) || told[len(told)-1] != body.Sent() || body.Sent() < int64(len(empty)) {
		t.Errorf("told %v, want up to %d", told, body.Sent())
	}
}
