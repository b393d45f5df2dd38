package csv

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"
)

func TestFindCharset(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"utf-8": "UTF-8", "UTF8": "UTF-8", "utf-16": "UTF-16LE", "UTF-16LE": "UTF-16LE", "utf-16be": "UTF-16BE",
		"latin1": "windows-1252", "iso-8859-1": "windows-1252", "us-ascii": "windows-1252", "CP1252": "windows-1252",
		"latin2": "ISO-8859-2", "iso-8859-9": "windows-1254", "ISO-8859-8-I": "ISO-8859-8-I", "iso-8859-15": "ISO-8859-15",
		"sjis": "Shift_JIS", "windows-31j": "Shift_JIS", "gb2312": "GBK", "GB18030": "gb18030", "big5-hkscs": "Big5",
		"euc-jp": "EUC-JP", "ks_c_5601-1987": "EUC-KR", "koi8-r": "KOI8-R", "koi8-u": "KOI8-U", "866": "IBM866",
		"mac": "macintosh", "x-mac-cyrillic": "x-mac-cyrillic", "tis-620": "windows-874", "cp1251": "windows-1251",
		"": "", "iso-2022-jp": "", "iso-2022-kr": "", "hz-gb-2312": "", "x-user-defined": "", "replacement": "", "utf-7": "", "utf-32": "",
	} {
		cs, ok := findCharset(label)
		if ok != (want != "") || ok && cs.String() != want {
			t.Errorf("%q is %s, %v, want %s", label, cs, ok, want)
		}
	}
	if cs, ok := findCharset(" cp1251\n"); !ok || cs.String() != "windows-1251" {
		t.Error("space around a label matters")
	}
	if cs, _ := findCharset("utf-8"); cs != (charset{}) {
		t.Error("UTF-8 is not the zero charset")
	}
}

// encoded writes text in an encoding that has all of its characters.
func encoded(t *testing.T, label, text string) string {
	t.Helper()
	enc, err := htmlindex.Get(label)
	if err != nil {
		t.Fatal(err)
	}
	source, err := enc.NewEncoder().String(text)
	if err != nil {
		t.Fatalf("%s: %q: %v", label, text, err)
	}
	return source
}

// highBytes are no text in any encoding.
func highBytes() string {
	var text []byte
	for c := 0x80; c <= 0xFF; c++ {
		text = append(text, byte(c), ' ')
	}
	return string(text)
}

func TestDetectCharset(t *testing.T) {
	t.Parallel()
	const cut = false // the sample is not the whole file
	for _, c := range []struct {
		name, sample      string
		complete          bool
		stated, announced string
		want              string
		mark              int
	}{
		{name: "nothing", complete: true, want: "UTF-8"},
		{name: "ASCII", sample: "a,b\n1,2\n", complete: true, announced: "iso-8859-1", want: "UTF-8"},
		{name: "UTF-8", sample: "a,é\n", complete: true, announced: "iso-8859-1", want: "UTF-8"},
		{name: "a mark", sample: "\xEF\xBB\xBFa", complete: true, announced: "iso-8859-1", want: "UTF-8", mark: 3},
		{name: "a mark and what is not UTF-8", sample: "\xEF\xBB\xBF\xE9", complete: true, want: "UTF-8", mark: 3},
		{name: "a character cut", sample: "a,b\n日本\xE8\xAA", complete: cut, want: "UTF-8"},
		{name: "a character cut at the end", sample: "a,b\n\xE9", complete: true, want: "windows-1252"},
		{name: "a few mistakes", sample: strings.Repeat("é,ü\n", 20) + "\xE9\n", complete: true, announced: "latin1", want: "UTF-8"},
		{name: "UTF-16 little", sample: "\xFF\xFEa\x00", want: "UTF-16LE", mark: 2},
		{name: "UTF-16 big", sample: "\xFE\xFF\x00a", want: "UTF-16BE", mark: 2},
		{name: "UTF-16 unmarked", sample: encoded(t, "utf-16le", "id,name\n1,Müller\n"), want: "UTF-16LE"},
		{name: "UTF-16 unmarked big", sample: encoded(t, "utf-16be", "id,name\n1,Müller\n"), want: "UTF-16BE"},
		{name: "UTF-16 unmarked, odd", sample: encoded(t, "utf-16le", "id,name\n1,Müller\n") + "a", want: "UTF-16LE"},
		{name: "UTF-16 in Chinese", sample: encoded(t, "utf-16le", "一月,二月,三月\n中国一共,一千零一,一百\n"), want: "UTF-16LE"},
		{name: "UTF-16 in Japanese", sample: encoded(t, "utf-16be", "氏名,住所\n山田太郎,東京都千代田区\n"), want: "UTF-16BE"},
		{name: "UTF-16 in Russian", sample: encoded(t, "utf-16le", "имя;город\nИван;Москва\n"), want: "UTF-16LE"},
		{name: "a NUL", sample: "a,b\n1,\x002\n", complete: true, want: "UTF-8"},
		{name: "NULs for NULL", sample: "a,b\n1,\x00\n\x00,2\n2,\x00\n", complete: true, want: "UTF-8"},
		{name: "a NUL and what is not UTF-8", sample: "a,b\n1,\x00\n\xE9\xE8,2\n2,b\n", complete: true, want: "UTF-8"},
		{name: "stated", sample: "\xE9", stated: "latin1", want: "windows-1252"},
		{name: "stated against UTF-8", sample: "é", stated: "latin1", want: "windows-1252"},
		{name: "stated against a mark", sample: "\xEF\xBB\xBFa", stated: "latin1", want: "windows-1252"},
		{name: "stated with a mark", sample: "\xEF\xBB\xBFa", stated: "utf-8", want: "UTF-8", mark: 3},
		{name: "UTF-16 stated", sample: "a\x00", stated: "utf-16", want: "UTF-16LE"},
		{name: "UTF-16 stated with a mark", sample: "\xFE\xFF\x00a", stated: "utf-16", want: "UTF-16BE", mark: 2},
		{name: "UTF-16BE stated with a mark", sample: "\xFE\xFF\x00a", stated: "utf-16be", want: "UTF-16BE", mark: 2},
		{name: "UTF-16LE stated, and marked as UTF-8", sample: "\xEF\xBB\xBFa", stated: "utf-16le", want: "UTF-16LE"},
		{name: "announced", sample: "caf\xE9,\xA4\n", complete: true, announced: "ISO-8859-15", want: "ISO-8859-15"},
		{name: "announced, and not so", sample: "caf\xE9\n", complete: true, announced: "utf-8", want: "windows-1252"},
		{name: "announced, and undecodable", sample: "caf\xE9\n", complete: true, announced: "shift_jis", want: "windows-1252"},
		{name: "announced, and cut", sample: "a,\x93\xFA\x96", complete: cut, announced: "shift_jis", want: "Shift_JIS"},
		{name: "announced as what nobody knows", sample: "caf\xE9\n", complete: true, announced: "x-none", want: "windows-1252"},
		{name: "announced as UTF-16", sample: "caf\xE9\n", complete: true, announced: "utf-16", want: "windows-1252"},
		{name: "nothing that is known", sample: highBytes(), complete: true, want: "windows-1252"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cs, mark, sure, err := detectCharset([]byte(c.sample), c.complete, c.stated, c.announced)
			if err != nil || cs.String() != c.want || mark != c.mark || sure < 0 || sure > 1 {
				t.Errorf("got %s, %d, %v, %v, want %s, %d", cs, mark, sure, err, c.want, c.mark)
			}
		})
	}
}

func TestDetectCharsetFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sample, stated, want string }{
		{"a", "latin-17", "bad_encoding"},
		{"\xFF\xFE\x00\x00a\x00\x00\x00", "", "bad_encoding"},
		{"\x00\x00\xFE\xFF\x00\x00\x00a", "", "bad_encoding"},
	} {
		if _, _, _, err := detectCharset([]byte(c.sample), true, c.stated, ""); !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%q, stated as %q: %v", c.sample, c.stated, err)
		}
	}
}
