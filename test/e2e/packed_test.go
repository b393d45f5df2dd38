package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/testenv"
)

const packedText = "id,name\n1,a\n2,b\n"

// packedFiles are ways to pack one text, by what they are called.
func packedFiles(t *testing.T) map[string]string {
	t.Helper()
	gz := testenv.Gzip(t, packedText[:9], packedText[9:])
	var zst, archive bytes.Buffer
	w, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, packedText)
	z := zip.NewWriter(&archive)
	for _, name := range []string{"readme.txt", "2026/january.csv", "2026/february.csv"} {
		text := "id,name\n0,other\n"
		if name == "2026/february.csv" {
			text = packedText
		}
		member, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(member, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bz, err := base64.StdEncoding.DecodeString(packedBzip2)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"/plain.csv": packedText, "/two_members.csv.gz": gz, "/a.csv.zst": zst.String(), "/a.zip": archive.String(),
		"/a.csv.bz2": string(bz), "/mislabelled.csv": gz,
	}
}

// packedBzip2 is packedText as the bzip2 command packs it: no library here does.
const packedBzip2 = "QlpoOTFBWSZTWaAwe34AAAbZAAAQAAQwADYjIAAxANNNBAMQIEFFl0b17fi7kinChIUBg9vw"

func write(t *testing.T, w io.WriteCloser, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPackedFiles loads files that are compressed in each way, from the web and from a folder.
func TestPackedFiles(t *testing.T) {
	t.Parallel()
	files, folder := packedFiles(t), testenv.Dir(t)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := testenv.Files(t, files)
	i := up(t, testenv.Dir(t), "--source-folders", folder)
	conn := i.connect(t)
	for name := range files {
		for kind, url := range map[string]string{"web": server + name, "folder": "file://" + folder + name} {
			fields := map[string]any{"url": url, "table": kind + name}
			if name == "/a.zip" {
				fields["member"] = "2026/february.csv"
			}
			j := i.awaitState(t, i.submit(t, fields).ID, "succeeded")
			if size := int64(len(files[name])); j.Progress.Bytes != size || *j.Progress.TotalBytes != size || *j.Progress.Percent != 100 {
				t.Errorf("%s from the %s: progress is %+v, want %d bytes", name, kind, j.Progress, size)
			}
			if rows := column[string](t, conn, `SELECT id || name FROM public."`+kind+name+`" ORDER BY id`); len(rows) != 2 || rows[0] != "1a" || rows[1] != "2b" {
				t.Errorf("%s from the %s: the rows are %q", name, kind, rows)
			}
		}
	}
	for url, code := range map[string]string{
		"file://" + filepath.Dir(folder) + "/a.csv": "source_forbidden", "file://" + folder + "/gone.csv": "source_not_found",
		server + "/a.zip": "member_ambiguous",
	} {
		if j := i.awaitState(t, i.submit(t, map[string]any{"url": url}).ID, "failed"); j.Error.Code != code {
			t.Errorf("%s: failed with %+v, want %s", url, j.Error, code)
		}
	}
}
