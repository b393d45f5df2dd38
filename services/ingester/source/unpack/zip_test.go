package unpack_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"sluice/pkg/events"
	"sluice/services/ingester/source/unpack"
)

// entry is one file of an archive that a test makes.
type entry struct {
	name, text string
	stored     bool // and not deflated
	sized      bool // its size is told before it, and not behind it
	change     func(*zip.FileHeader)
}

// archive makes a zip archive with the standard library, in the way of an archiver that cannot seek, or of one that can.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	for _, m := range entries {
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.stored {
			header.Method = zip.Store
		}
		content, create := []byte(m.text), w.CreateHeader
		if m.sized {
			content, create = sized(t, header, content), w.CreateRaw
		}
		if m.change != nil {
			m.change(header)
		}
		to, err := create(header)
		if err == nil {
			_, err = to.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// sized tells in the header what is known of a content, and returns it as it is to be written.
func sized(t testing.TB, header *zip.FileHeader, content []byte) []byte {
	t.Helper()
	header.CRC32, header.UncompressedSize64 = crc32.ChecksumIEEE(content), uint64(len(content))
	if header.Method == zip.Deflate {
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(content)
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		content = packed.Bytes()
	}
	header.CompressedSize64 = uint64(len(content))
	return content
}

// tricky holds what the end of a stored member looks like.
var tricky = "a,b\n1,PK\x07\x08\n2,PK\x07PK\x07\x08" + strings.Repeat("x", 30) + "\n" + table

func TestZip(t *testing.T) {
	csv := func(m entry) entry { m.name, m.text = "trips.csv", table; return m }
	for name, tt := range map[string]struct {
		content      []byte
		member, want string
	}{
		"deflated, streamed":     {archive(t, csv(entry{})), "", table},
		"deflated, sized":        {archive(t, csv(entry{sized: true})), "", table},
		"stored, streamed":       {archive(t, csv(entry{stored: true})), "", table},
		"stored, sized":          {archive(t, csv(entry{stored: true, sized: true})), "", table},
		"stored, tricky":         {archive(t, entry{name: "a.csv", text: tricky, stored: true}), "", tricky},
		"deflated, tricky":       {archive(t, entry{name: "a.csv", text: tricky}), "", tricky},
		"empty member":           {archive(t, entry{name: "a.csv"}), "", ""},
		"empty member, sized":    {archive(t, entry{name: "a.csv", sized: true, stored: true}), "", ""},
		"in a folder":            {archive(t, entry{name: "x/"}, entry{name: "x/a.TSV", text: table}), "", table},
		"beside others":          {archive(t, entry{name: "a.txt", text: "x"}, csv(entry{}), entry{name: "b.md", text: "y", stored: true}), "", table},
		"beside sized others":    {archive(t, entry{name: "a.txt", text: "x", sized: true}, csv(entry{}), entry{name: "b.md", text: "y", sized: true, stored: true}), "", table},
		"beside what a Mac adds": {archive(t, csv(entry{}), entry{name: "__MACOSX/._trips.csv", text: "x"}, entry{name: ".hidden.csv", text: "x"}), "", table},
		"a folder like a CSV":    {archive(t, entry{name: "all.csv/"}, csv(entry{})), "", table},
		"named":                  {archive(t, entry{name: "a.csv", text: "x"}, entry{name: "d/b.csv", text: table}, entry{name: "c.csv", text: "y"}), "d/b.csv", table},
		"named, of another kind": {archive(t, entry{name: "data", text: table}), "data", table},
		"named in code page 437": {archive(t, entry{name: "caf\x82.csv", text: table, change: func(h *zip.FileHeader) { h.NonUTF8 = true }}), "café.csv", table},
		"named in UTF-8":         {archive(t, entry{name: "東京.csv", text: table}), "東京.csv", table},
		"with a comment":         {commented(t, csv(entry{})), "", table},
		"with extra fields": {archive(t, csv(entry{change: func(h *zip.FileHeader) {
			h.Extra = []byte{0x55, 0x54, 5, 0, 1, 0, 0, 0, 0, 0}
		}})), "", table},
		"zip64": {zip64(table), "", table},
	} {
		t.Run(name, func(t *testing.T) {
			r := unpack.New(file(t, tt.content, member(tt.member)))
			text, err := io.ReadAll(r)
			if err != nil || string(text) != tt.want {
				t.Fatalf("read %d bytes, %v; want %d", len(text), err, len(tt.want))
			}
			if r.Kind() != unpack.Zip || tt.member != "" && r.Member() != tt.member || r.Member() == "" {
				t.Errorf("compressed with %s, member %q", r.Kind(), r.Member())
			}
		})
	}
}

// TestMemberNamedOnAMac holds that a name is found whose accents are characters of their own in the archive: both look alike.
func TestMemberNamedOnAMac(t *testing.T) {
	for stated, name := range map[string]string{"caf\u00E9.csv": "cafe\u0301.csv", "cafe\u0301.csv": "caf\u00E9.csv"} {
		text, err := unpacked(t, archive(t, entry{name: "a.csv", text: "x"}, entry{name: name, text: table}), member(stated))
		if err != nil || text != table {
			t.Errorf("%+q as %+q: read %d bytes, %v", name, stated, len(text), err)
		}
	}
	both := archive(t, entry{name: "caf\u00E9.csv", text: "x"}, entry{name: "cafe\u0301.csv", text: "y"})
	_, err := unpacked(t, both, member("caf\u00E9.csv"))
	wantFailure(t, err, events.CodeMemberAmbiguous, "twice")
}

func commented(t testing.TB, m entry) []byte {
	t.Helper()
	data := archive(t, m)
	binary.LittleEndian.PutUint16(data[len(data)-2:], 5)
	return append(data, "hello"...)
}

// zip64 makes an archive as for a member of more than 4 GiB, of known size.
func zip64(text string) []byte {
	at := binary.LittleEndian
	const name = "a.csv"
	sizes := at.AppendUint64(at.AppendUint64(nil, uint64(len(text))), uint64(len(text)))
	extra := append([]byte{1, 0, 16, 0}, sizes...)
	common := at.AppendUint32([]byte{45, 0, 0, 0, 0, 0, 0, 0, 0, 0}, crc32.ChecksumIEEE([]byte(text)))
	common = append(common, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"...)
	common = at.AppendUint16(at.AppendUint16(common, uint16(len(name))), uint16(len(extra)))
	data := append([]byte("PK\x03\x04"), common...)
	data = append(append(append(data, name...), extra...), text...)
	directory := len(data)
	data = append(append(data, "PK\x01\x02\x2D\x00"...), common...)
	data = append(data, make([]byte, 14)...) // no comment, disk 0, no attributes, offset 0
	data = append(append(data, name...), extra...)
	size := len(data) - directory
	data = at.AppendUint64(append(data, "PK\x06\x06"...), 44)
	data = append(data, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, n := range []int{1, 1, size, directory} {
		data = at.AppendUint64(data, uint64(n))
	}
	data = append(data, "PK\x06\x07\x00\x00\x00\x00"...)
	data = at.AppendUint64(data, uint64(directory+size))
	data = append(data, 1, 0, 0, 0)
	return append(data, "PK\x05\x06\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00"...)
}

// TestZip64IsOne holds that the standard library takes what the tests make.
func TestZip64IsOne(t *testing.T) {
	if text, err := byTheStandard(zip64(table)); err != nil || text != table {
		t.Errorf("read %d bytes, %v", len(text), err)
	}
}

// byTheStandard reads the one a.csv of an archive with the standard library.
func byTheStandard(data []byte) (string, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", err
	}
	list := slices.DeleteFunc(r.File, func(f *zip.File) bool { return f.Name != "a.csv" })
	if len(list) != 1 {
		return "", fmt.Errorf("%d of them", len(list))
	}
	content, err := list[0].Open()
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(content, 16<<20))
	return string(text), err
}

func TestZipRefused(t *testing.T) {
	one := archive(t, entry{name: "a.csv", text: table})
	with := func(change func(data []byte)) []byte { data := slices.Clone(one); change(data); return data }
	directory := bytes.Index(one, []byte("PK\x01\x02"))
	flagged := func(flags uint16) func(*zip.FileHeader) {
		return func(h *zip.FileHeader) { h.Flags |= flags }
	}
	long := func(letter string) string { return strings.Repeat(letter, 10_000) + ".csv" }
	for name, tt := range map[string]struct {
		content []byte
		member  string
		code    events.Code
		part    string
	}{
		"two CSV files":             {archive(t, entry{name: "a.csv", text: "x"}, entry{name: "b.csv", text: "y"}), "", events.CodeMemberAmbiguous, `"a.csv" and "b.csv"`},
		"two of long names":         {archive(t, entry{name: long("a"), text: "x"}, entry{name: long("b"), text: "y"}), "", events.CodeMemberAmbiguous, "; name the one to load"},
		"a long name twice":         {archive(t, entry{name: long("a"), text: "x"}, entry{name: long("a"), text: "y"}), "", events.CodeMemberAmbiguous, "; make the archive anew"},
		"encrypted, of a long name": {archive(t, entry{name: long("a"), text: "x", sized: true, change: flagged(1)}), "", events.CodeSourceUnsupported, "without a password"},
		"the same twice":            {archive(t, entry{name: "a.csv", text: "x"}, entry{name: "a.csv", text: "y"}), "a.csv", events.CodeMemberAmbiguous, "twice"},
		"no CSV file":               {archive(t, entry{name: "a.txt", text: "x"}, entry{name: "b"}), "", events.CodeMemberNotFound, `but "a.txt", "b"; name`},
		"many others":               {archive(t, manyMembers(20)...), "", events.CodeMemberNotFound, `"m9" and others`},
		"nothing":                   {archive(t), "", events.CodeMemberNotFound, "without any file"},
		"a folder":                  {archive(t, entry{name: "a.csv/"}), "", events.CodeMemberNotFound, "without any file"},
		"another name":              {archive(t, entry{name: "a.csv", text: "x"}), "b.csv", events.CodeMemberNotFound, `no member "b.csv", but "a.csv"`},
		"Office document":           {archive(t, entry{name: "[Content_Types].xml", text: "x"}, entry{name: "xl/workbook.xml", text: "y"}), "", events.CodeNotCSV, ".xlsx"},
		"OpenDocument":              {archive(t, entry{name: "mimetype", text: "x", stored: true, sized: true}), "", events.CodeNotCSV, ".ods"},
		"encrypted":                 {archive(t, entry{name: "a.csv", text: "x", sized: true, change: flagged(1)}), "", events.CodeSourceUnsupported, "is encrypted"},
		"a symbolic link":           {archive(t, entry{name: "a.csv", text: "b.txt", change: func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }}, entry{name: "b.txt", text: table}), "", events.CodeSourceUnsupported, `"a.csv" that is a symbolic link`},
		"another method":            {archive(t, entry{name: "a.csv", text: "x", sized: true, change: func(h *zip.FileHeader) { h.Method = 9 }}), "", events.CodeSourceUnsupported, "not supported"},
		"trailing data":             {append(slices.Clone(one), "more"...), "", events.CodeSourceCorrupt, fmt.Sprintf("at byte %d", len(one))},
		"two archives":              {slices.Concat(one, one), "", events.CodeSourceCorrupt, fmt.Sprintf("at byte %d", len(one))},
		"no directory":              {append(slices.Clone(one[:directory]), one[len(one)-22:]...), "", events.CodeSourceCorrupt, "does not have the member"},
		"cut in the directory":      {one[:directory+20], "", events.CodeSourceCorrupt, "in the middle of its zip data"},
		"cut before it":             {one[:directory], "", events.CodeSourceCorrupt, "in the middle of its zip data"},
		"another name in there":     {with(func(d []byte) { d[directory+46] = 'b' }), "", events.CodeSourceCorrupt, "does not have the member"},
		"another checksum":          {with(func(d []byte) { d[directory+16]++ }), "", events.CodeSourceCorrupt, "does not have the member"},
		"another number of members": {with(func(d []byte) { d[len(d)-12]++ }), "", events.CodeSourceCorrupt, "another directory"},
		"a directory elsewhere":     {with(func(d []byte) { d[len(d)-6]-- }), "", events.CodeSourceCorrupt, "another directory"},
		"another descriptor":        {with(func(d []byte) { d[directory-1]++ }), "", events.CodeSourceCorrupt, "not true"},
		"another content":           {with(func(d []byte) { d[100] ^= 1 }), "", events.CodeSourceCorrupt, "damaged near byte"},
		"another size": {archive(t, entry{name: "a.csv", text: table, sized: true, change: func(h *zip.FileHeader) {
			h.UncompressedSize64++
		}}), "", events.CodeSourceCorrupt, "another length"},
		"another compressed size": {archive(t, entry{name: "a.csv", text: table, sized: true, change: func(h *zip.FileHeader) {
			h.CompressedSize64++
		}}), "", events.CodeSourceCorrupt, "shorter"},
		"a shorter compressed size": {archive(t, entry{name: "a.csv", text: table, sized: true, change: func(h *zip.FileHeader) {
			h.CompressedSize64 -= 10
		}}), "", events.CodeSourceCorrupt, "ends before its data does"},
		"another CRC": {archive(t, entry{name: "a.csv", text: table, sized: true, change: func(h *zip.FileHeader) {
			h.CRC32++
		}}), "", events.CodeSourceCorrupt, "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpacked(t, tt.content, member(tt.member))
			wantFailure(t, err, tt.code, tt.part)
		})
	}
}

func manyMembers(n int) (list []entry) {
	for i := range n {
		list = append(list, entry{name: fmt.Sprintf("m%d", i), text: "x"})
	}
	return list
}

// FuzzZip holds that whatever is read of an archive is what the standard library reads of it, by its directory.
func FuzzZip(f *testing.F) {
	f.Add(archive(f, entry{name: "a.csv", text: "a,b\n1,2\n"}))
	f.Add(archive(f, entry{name: "a.csv", text: "a,b\n1,2\n", stored: true}, entry{name: "b.txt", text: "x", sized: true}))
	f.Add(archive(f, entry{name: "x/"}, entry{name: "a.csv", text: "a,b\n1,2\n", stored: true, sized: true}))
	f.Add(zip64("a,b\n1,2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte("PK\x03\x04"), bytes.TrimPrefix(data, []byte("PK\x03\x04"))...)
		text, err := unpacked(t, data, member("a.csv"))
		if err != nil {
			return
		}
		if want, err := byTheStandard(data); err == nil && text != want {
			t.Errorf("read %q, by the standard library %q", text, want)
		}
	})
}
