package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"
)

// made returns a file and its bytes.
func made(t *testing.T, dir, kind string, size Size) (File, []byte) {
	t.Helper()
	f, err := Make(dir, kind, size)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return f, text
}

func TestFilesAreWhatTheySay(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			f, text := made(t, t.TempDir(), kind, Megabyte)
			if f.Bytes != int64(len(text)) || f.Bytes < int64(Megabyte) || f.Bytes > int64(Megabyte)+10_000 {
				t.Errorf("%d bytes are said to be %d", len(text), f.Bytes)
			}
			records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if int64(len(records)) != f.Rows+1 || !slices.Equal(records[0], f.Columns) {
				t.Errorf("%d records are said to be %d rows, under the header %v", len(records), f.Rows, records[0])
			}
		})
	}
}

// TestFilesAreTheSameEverywhere holds the very bytes: with others, figures could not be compared. Change edition with them.
func TestFilesAreTheSameEverywhere(t *testing.T) {
	for kind, want := range map[string]string{
		"taxi": "c131ca7a21195328a770700f9d55227d347c06e0e5ac9c03801e8b72483ef337",
		"wide": "0d31c49159f679e41fa2c10d0ba85874cb3fe59efd91b6327aae39a141cbb429",
	} {
		_, text := made(t, t.TempDir(), kind, 100*Kilobyte)
		_, longer := made(t, t.TempDir(), kind, 200*Kilobyte)
		if !bytes.HasPrefix(longer, text) {
			t.Errorf("%s: a larger file does not begin with a smaller one", kind)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s: the sum is %x", kind, sum)
		}
	}
}

func TestTaxiHasNoQuotes(t *testing.T) {
	f, text := made(t, t.TempDir(), "taxi", 100*Kilobyte)
	if len(f.Columns) != 18 || bytes.ContainsRune(text, '"') || int64(bytes.Count(text, []byte("\n"))) != f.Rows+1 {
		t.Errorf("%d columns, %d lines for %d rows", len(f.Columns), bytes.Count(text, []byte("\n")), f.Rows)
	}
}

func TestWideHasWhatIsHard(t *testing.T) {
	f, text := made(t, t.TempDir(), "wide", Megabyte)
	records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rewritten bytes.Buffer
	has := map[string]int{}
	for _, record := range records {
		for n, field := range record {
			record[n] = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			for _, hard := range []string{"\n", ",", `"`, "ü"} {
				has[hard] += strings.Count(field, hard)
			}
		}
		rewritten.WriteString(strings.Join(record, ",") + "\n")
	}
	if len(f.Columns) != 30 || !bytes.Equal(rewritten.Bytes(), text) {
		t.Errorf("not each of %d fields is in quotes", len(f.Columns))
	}
	for _, hard := range []string{"\n", ",", `"`, "ü"} {
		if has[hard] < 100 {
			t.Errorf("%q is there %d times", hard, has[hard])
		}
	}
}

func TestFileIsReusedOnlyIfWhole(t *testing.T) {
	dir := t.TempDir()
	f, text := made(t, dir, "taxi", 10*Kilobyte)
	changed := bytes.Replace(text, []byte("2024"), []byte("2025"), 1)
	if err := os.WriteFile(f.Path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, kept := made(t, dir, "taxi", 10*Kilobyte); !bytes.Equal(kept, changed) || again.Rows != f.Rows || again.Bytes != f.Bytes {
		t.Errorf("a whole file was written anew, or is said to be %+v", again)
	}
	if err := os.Truncate(f.Path, 100); err != nil {
		t.Fatal(err)
	}
	if _, mended := made(t, dir, "taxi", 10*Kilobyte); !bytes.Equal(mended, text) {
		t.Error("a cut file was kept")
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := Make(t.TempDir(), "long", Kilobyte); err == nil || !strings.Contains(err.Error(), "taxi") {
		t.Errorf("the error is %v", err)
	}
}
