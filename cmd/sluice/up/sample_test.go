package up

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleSum is the SHA-256 of the sample file, which never changes: figures are compared that were measured with it.
const sampleSum = "34eda2304170b44b9af263a0f3713c0f851323a961286a4c45ab49fa5c7869b6"

func TestSample(t *testing.T) {
	path := filepath.Join(t.TempDir(), sampleName)
	if err := writeSample(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != sampleSum {
		t.Errorf("its SHA-256 is %s, want %s", got, sampleSum)
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord, rows.ReuseRecord = 18, true
	read := 0
	for ; ; read++ {
		_, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if read != sampleRows+1 {
		t.Errorf("it has %d rows, want %d and a header", read, sampleRows)
	}
}

func TestPrepareFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		present []string
		written bool
	}{
		"empty":              {nil, true},
		"another file":       {[]string{"mine.csv"}, false},
		"a hidden file":      {[]string{".keep"}, false},
		"half a sample":      {[]string{"tripsdata.csv.part"}, true},
		"half, and another":  {[]string{"tripsdata.csv.part", "zones.csv"}, false},
		"a sample of theirs": {[]string{"tripsdata.csv"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "not", "there", "yet")
			if len(tt.present) > 0 {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range tt.present {
				if err := os.WriteFile(filepath.Join(dir, file), []byte("theirs"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := prepareFiles(dir, true); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(dir, sampleName))
			if written := err == nil && info.Size() > 1<<20; written != tt.written {
				t.Errorf("the sample is written: %t (%v)", written, err)
			}
			entries, err := os.ReadDir(dir)
			if want := max(len(tt.present), 1); err != nil || len(entries) != want {
				t.Errorf("there are %v, want %d (%v)", entries, want, err)
			}
		})
	}
	if err := prepareFiles(filepath.Join(t.TempDir(), "\x00"), true); err == nil {
		t.Error("a folder that cannot be is no error")
	}
}

func TestNamedFolderMustBeThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "misspelt")
	if err := prepareFiles(dir, false); err == nil || !strings.Contains(err.Error(), "--files-dir") {
		t.Errorf("error %v, want one that names --files-dir", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it was made all the same")
	}
}
