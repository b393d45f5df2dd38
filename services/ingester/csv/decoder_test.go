package csv

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// allCharsets are those that a file may be in.
func allCharsets(t testing.TB) []charset {
	t.Helper()
	var list []charset
	for _, label := range []string{
		"utf-8", "utf-16le", "utf-16be", "ibm866", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7",
		"iso-8859-8", "iso-8859-8-i", "iso-8859-10", "iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16", "koi8-r", "koi8-u",
		"macintosh", "windows-874", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255",
		"windows-1256", "windows-1257", "windows-1258", "x-mac-cyrillic", "gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr",
	} {
		cs, ok := findCharset(label)
		if !ok {
			t.Fatalf("%s is not found", label)
		}
		list = append(list, cs)
	}
	return list
}

func decoded(t testing.TB, cs charset, source string) string {
	t.Helper()
	text, err := io.ReadAll(newDecoder(strings.NewReader(source), cs))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, source, want string }{
		{"utf-8", "a\xFFé", "a\xFFé"},
		{"windows-1252", "", ""},
		{"windows-1252", "a,b\n", "a,b\n"},
		{"windows-1252", "Caf\xE9 \x80 \x93x\x94", "Café € “x”"},
		{"windows-1252", "\x81\x8D\x8F\x90\x9D", "\xFF\xFF\xFF\xFF\xFF"},
		{"windows-1252", "a\x00b", "a\x00b"},
		{"windows-1252", "0123456789abcde\xE9", "0123456789abcdeé"},
		{"windows-1250", "\xAFubr\xF3wka\x81", "Żubrówka\xFF"},
		{"windows-874", "\xE4\xB7\xC2\xFF\x81", "ไทย\xFF\xFF"},
		{"iso-8859-2", "\x85\xB1", "\xFFą"},
		{"koi8-r", "\xED\xCF\xD3\xCB\xD7\xC1", "Москва"},
		{"iso-8859-8-i", "\xF9\xEC\xE5\xED", "שלום"},
		{"utf-16le", "a\x00\xE9\x00\n\x00", "aé\n"},
		{"utf-16le", "a\x00b\x00c\x00d\x00e\x00", "abcde"},
		{"utf-16be", "\x00a\x00b\x00c\x00d\x00\xE9", "abcdé"},
		{"utf-16be", "\xFF\xFD\xD8\x3D\xDE\x00", "\uFFFD😀"},
		{"utf-16le", "\x3D\xD8\x00\xDE", "😀"},
		{"utf-16le", "\x3D\xD8a\x00", "\xFF\xFFa"},
		{"utf-16le", "\x00\xDEa\x00", "\xFF\xFFa"},
		{"utf-16le", "\x3D\xD8\x3D\xD8\x00\xDE", "\xFF\xFF😀"},
		{"utf-16le", "a\x00\x3D\xD8", "a\xFF\xFF"},
		{"utf-16le", "a\x00\x3D\xD8\x00", "a\xFF\xFF\xFF"},
		{"utf-16le", "a\x00b", "a\xFF"},
		{"utf-16le", "\xFF\xFEa\x00", "\uFEFFa"},
		{"shift_jis", "\x93\xFA\x96\x7B,\xB6\xC5,\\~", "日本,ｶﾅ,\\~"},
		{"shift_jis", "\x83\x5C\n\xFD\x81,", "ソ\n\xFF\xFF,"}, // a backslash that is half of a character
		{"shift_jis", "\x93", "\xFF"},
		{"euc-jp", "\xC6\xFC\x8E\xB6\x8F\xB0\xA1", "日ｶ丂"},
		{"euc-jp", "\x8F\xB0", "\xFF\xFF"},
		{"euc-jp", "\x8F\xB0,\x8F,\xC6,", "\xFF\xFF,\xFF,\xFF,"},
		{"gbk", "\xD6\xD0\xCE\xC4,\x80", "中文,€"},
		{"gbk", "\x81\x30\x81\x30\x94\x39\xDA\x33", "\u0080💩"},
		{"gb18030", "\xA2\xE3\x84\x31\xA4\x37", "€\uFFFD"},
		{"gb18030", "\x80\x81\x30,\x81\x30\x81,\x81", "\xFF\xFF0,\xFF0\xFF,\xFF"},
		{"gb18030", "\xD6\"\n", "\xFF\"\n"},
		{"gb18030", "\x81\x30\x81", "\xFF\xFF\xFF"},
		{"gb18030", "\xFF\xD6\xFF", "\xFF\xFF\xFF"},
		{"big5", "\xA4\xA4\xA4\xE5\x88\x62\x88\xA5", "中文Ê̄ê̌"},
		{"big5", "\xA4\xA4\x81\x40\xA4,", "中\xFF@\xFF,"},
		{"euc-kr", "\xC7\xD1\xB1\xDB\x81\x41", "한글갂"},
		{"euc-kr", "\xC7\xFF\xC7", "\xFF\xFF\xFF"},
	} {
		t.Run(c.charset, func(t *testing.T) {
			t.Parallel()
			cs, ok := findCharset(c.charset)
			if !ok {
				t.Fatal("is not found")
			}
			if got := decoded(t, cs, c.source); got != c.want {
				t.Errorf("%q is decoded as %q, want %q", c.source, got, c.want)
			}
			if n := cs.sourceLength([]byte(c.want)); n != int64(len(c.source)) {
				t.Errorf("%q is said to come from %d bytes, not %d", c.want, n, len(c.source))
			}
		})
	}
}

// sampleOf is a text of characters and of bytes at random.
func sampleOf(random *rand.Rand, cs charset, size int) string {
	var text strings.Builder
	for text.Len() < size {
		switch random.IntN(6) {
		case 0:
			text.WriteString("a field,\"quoted\"\n"[random.IntN(16):])
			if cs.isUTF16() {
				text.WriteString("a\x00,\x00b\x00\n\x00c\x00d\x00")
			}
		case 1:
			text.WriteByte(byte(random.Uint32()))
		default:
			text.WriteByte(byte(0x80 + random.IntN(0x80)))
			text.WriteByte(byte(0x30 + random.IntN(0xD0)))
		}
	}
	return text.String()
}

// choppy gives as many bytes at once as it likes.
type choppy struct {
	text   string
	random *rand.Rand
	err    error
}

func (c *choppy) Read(p []byte) (int, error) {
	if c.text == "" {
		return 0, c.err
	}
	n := copy(p, c.text[:min(len(c.text), c.random.IntN(5)*c.random.IntN(5))])
	c.text = c.text[n:]
	if c.text == "" && c.random.IntN(2) == 0 {
		return n, c.err
	}
	return n, nil
}

func TestDecoderWhateverTheReads(t *testing.T) {
	t.Parallel()
	for _, cs := range allCharsets(t) {
		t.Run(cs.String(), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			for range 30 {
				source := sampleOf(random, cs, random.IntN(500))
				want := decoded(t, cs, source)
				for name, src := range map[string]io.Reader{
					"one byte": iotest.OneByteReader(strings.NewReader(source)),
					"half":     iotest.HalfReader(strings.NewReader(source)),
					"end":      iotest.DataErrReader(strings.NewReader(source)),
					"random":   &choppy{source, random, io.EOF},
				} {
					got, err := io.ReadAll(newDecoder(src, cs))
					if err != nil || string(got) != want {
						t.Fatalf("%s: %q is decoded as %q, %v, want %q", name, source, got, err, want)
					}
				}
				got, err := io.ReadAll(iotest.OneByteReader(newDecoder(&choppy{source, random, io.EOF}, cs)))
				if err != nil || string(got) != want {
					t.Fatalf("%q is read byte by byte as %q, %v, want %q", source, got, err, want)
				}
				if n := cs.sourceLength([]byte(want)); n != int64(len(source)) {
					t.Fatalf("%q is said to come from %d bytes, not %d of %q", want, n, len(source), source)
				}
			}
		})
	}
}

func TestDecoderPassesErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the line is cut")
	for _, c := range []struct {
		charset, source, want string
		err                   error
	}{
		{"windows-1252", "a\xE9", "aé", broken},
		{"utf-16le", "a\x00b", "a", broken}, // half a character came, which is not the source's fault
		{"utf-16le", "\x3D\xD8", "", io.ErrUnexpectedEOF},
		{"shift_jis", "\x93\xFA\x96", "日", broken},
		{"gb18030", "\x81\x30\x81", "", broken},
	} {
		cs, _ := findCharset(c.charset)
		random := rand.New(rand.NewPCG(3, 4))
		got, err := io.ReadAll(newDecoder(&choppy{c.source, random, c.err}, cs))
		if string(got) != c.want || err != c.err {
			t.Errorf("%s: %q is decoded as %q, %v", c.charset, c.source, got, err)
		}
	}
}

// once gives a text and then must not be read.
type once struct {
	t    *testing.T
	text string
}

func (o *once) Read(p []byte) (int, error) {
	if o.text == "" {
		o.t.Error("it reads on although it has something to give")
		return 0, io.EOF
	}
	n := copy(p, o.text)
	o.text = o.text[n:]
	return n, nil
}

func TestDecoderGivesWhatItHas(t *testing.T) {
	t.Parallel()
	cs, _ := findCharset("shift_jis")
	for _, room := range []int{1, 2, 7, 63, 64, 1000} {
		d := newDecoder(&once{t, "ab\x93\xFA\x96"}, cs)
		got := make([]byte, 0, 1000)
		for len(got) < len("ab日") {
			n, err := d.Read(got[len(got) : len(got)+room])
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			got = got[:len(got)+n]
		}
		if string(got) != "ab日" {
			t.Errorf("%q", got)
		}
	}
}

// TestTables compares each character with its encoding by the library, which knows errors only as U+FFFD.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, cs := range allCharsets(t) {
		t.Run(cs.String(), func(t *testing.T) {
			t.Parallel()
			if cs.isUTF8() || cs.isUTF16() {
				return
			}
			enc, err := htmlindex.Get(cs.String())
			if err != nil {
				t.Fatal(err)
			}
			var whole strings.Builder
			characters := 0
			buf := make([]byte, 64)
			try := func(source string) {
				written, _ := cs.codec.decode(buf, []byte(source), true)
				got := string(buf[:written])
				if n := cs.sourceLength([]byte(got)); n != int64(len(source)) {
					t.Fatalf("%q of %q is said to come from %d bytes", got, source, n)
				}
				want, err := enc.NewDecoder().String(source)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(got, "\xFF") {
					return
				}
				if got != want {
					t.Fatalf("%q is decoded as %q, want %q", source, got, want)
				}
				whole.WriteString(got)
				characters++
			}
			for c := range 256 {
				try(string([]byte{byte(c)}))
				if _, single := cs.codec.(*singleByte); single || c < utf8.RuneSelf {
					continue
				}
				for trail := range 256 {
					try(string([]byte{byte(c), byte(trail)}))
				}
			}
			if cs.String() == "EUC-JP" {
				for i := range 94 * 94 {
					try(string([]byte{0x8F, byte(0xA1 + i/94), byte(0xA1 + i%94)}))
				}
			}
			if cs.String() == "gb18030" {
				for i := 0; i < 1587600; i += 7 {
					try(string([]byte{byte(0x81 + i/12600), byte('0' + i/1260%10), byte(0x81 + i/10%126), byte('0' + i%10)}))
				}
			}
			t.Log(characters, "characters")
			if characters < 128+40 || !utf8.ValidString(whole.String()) {
				t.Error("there are not as many as there should be")
			}
		})
	}
}

func TestSourceLengthOfParts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for _, cs := range allCharsets(t) {
		source := sampleOf(random, cs, 2000)
		text := []byte(decoded(t, cs, source))
		sum := int64(0)
		for from := 0; from < len(text); {
			to := min(from+1+random.IntN(20), len(text))
			for to < len(text) && text[to]&0xC0 == 0x80 {
				to++
			}
			sum += cs.sourceLength(text[from:to])
			from = to
		}
		if sum != int64(len(source)) {
			t.Errorf("%s: the parts come from %d bytes of %d", cs, sum, len(source))
		}
	}
}

func FuzzDecoder(f *testing.F) {
	all := allCharsets(f)
	for i := range all {
		f.Add(uint8(i), []byte("a,\xE9\x81\x30\x81\x30,\x93\xFA\xD8\x3D\x00"))
	}
	f.Fuzz(func(t *testing.T, which uint8, source []byte) {
		cs := all[int(which)%len(all)]
		text := decoded(t, cs, string(source))
		if n := cs.sourceLength([]byte(text)); n != int64(len(source)) {
			t.Fatalf("%s: %q of %q is said to come from %d bytes", cs, text, source, n)
		}
		slow, err := io.ReadAll(iotest.OneByteReader(newDecoder(iotest.OneByteReader(bytes.NewReader(source)), cs)))
		if err != nil || string(slow) != text {
			t.Fatalf("%s: %q is decoded as %q or %q, %v", cs, source, text, slow, err)
		}
		if strings.Contains(text, "\xFF") || cs.isUTF8() {
			return
		}
		if !utf8.ValidString(text) {
			t.Fatalf("%s: %q is decoded as %q", cs, source, text)
		}
		if cs.isUTF16() || !ambiguous(cs) {
			enc, err := htmlindex.Get(cs.String())
			if err != nil {
				t.Fatal(err)
			}
			if back, err := enc.NewEncoder().Bytes([]byte(text)); err != nil || !bytes.Equal(back, source) {
				t.Fatalf("%s: %q is %q, which is %q, %v", cs, source, text, back, err)
			}
		}
	})
}

// ambiguous reports encodings that have some characters twice.
func ambiguous(cs charset) bool {
	switch cs.String() {
	case "Shift_JIS", "EUC-JP", "Big5", "GBK", "gb18030":
		return true
	}
	return false
}

func BenchmarkDecoder(b *testing.B) {
	for _, c := range []struct{ name, charset, row string }{
		{"windows-1252", "windows-1252", "4711,Müller & Söhne GmbH,\"Straße des 17. Juni 135\",10623 Berlin,€ 1.234,50\r\n"},
		{"windows-1252 of ASCII", "windows-1252", "4711,Miller & Sons Ltd,\"135 17th of June Street\",10623 Berlin,1234.50\r\n"},
		{"windows-1251", "windows-1251", "4711,Иванов Иван Иванович,\"улица Ленина, дом 5\",Москва,1234.50\r\n"},
		{"UTF-16LE", "utf-16le", "4711,Müller & Söhne GmbH,\"Straße des 17. Juni 135\",10623 Berlin,€ 1.234,50\r\n"},
		{"UTF-16LE of Chinese", "utf-16le", "4711,北京市朝阳区建国路八十八号,王小明,1234.50\r\n"},
		{"GBK", "gbk", "4711,北京市朝阳区建国路八十八号,王小明,1234.50\r\n"},
		{"Shift_JIS", "shift_jis", "4711,東京都千代田区霞が関一丁目,山田太郎,1234.50\r\n"},
	} {
		enc, err := htmlindex.Get(c.charset)
		if err != nil {
			b.Fatal(err)
		}
		source, err := enc.NewEncoder().String(strings.Repeat(c.row, 8<<20/len(c.row)))
		if err != nil {
			b.Fatal(err)
		}
		cs, _ := findCharset(c.charset)
		b.Run("read/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			buf := make([]byte, 256<<10)
			for b.Loop() {
				d := newDecoder(strings.NewReader(source), cs)
				for {
					if _, err := d.Read(buf); err == io.EOF {
						break
					}
				}
			}
		})
		text := []byte(decoded(b, cs, source))
		b.Run("length/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for b.Loop() {
				cs.sourceLength(text)
			}
		})
	}
}
