// Package data makes the files that the benchmark loads: the same bytes on every machine and in every year.
package data

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// edition changes with the bytes of the files, so that files of an earlier one are not taken for these.
const edition = 1

// File is a CSV file on disk.
type File struct {
	Kind    string
	Size    Size
	Path    string
	Columns []string
	Rows    int64 // without the header
	Bytes   int64
}

// Name is what a table calls the file.
func (f File) Name() string { return f.Kind + " " + f.Size.String() }

// kind is one shape of file.
type kind struct {
	columns []string
	quoted  bool                                 // every field, the header's too
	rows    func(*rand.Rand) func([]byte) []byte // that append a row each
}

func kinds() map[string]kind {
	return map[string]kind{
		"taxi": {columns: taxiColumns(), rows: taxiRows},
		"wide": {columns: wideColumns(), quoted: true, rows: wideRows},
	}
}

// Kinds are the shapes that Make knows.
func Kinds() []string { return []string{"taxi", "wide"} }

// note lies beside a file that is whole, and says what is in it.
type note struct {
	Edition     int
	Rows, Bytes int64
}

// Make writes a file of a kind into dir, with as many rows as make it at least the size, unless it is there already.
func Make(dir, name string, size Size) (File, error) {
	k, ok := kinds()[name]
	if !ok {
		return File{}, fmt.Errorf("there is no kind of file called %q; there are %v", name, Kinds())
	}
	f := File{Kind: name, Size: size, Path: filepath.Join(dir, name+"-"+size.String()+".csv"), Columns: k.columns}
	if n, ok := f.noted(); ok {
		f.Rows, f.Bytes = n.Rows, n.Bytes
		return f, nil
	}
	if err := f.write(k); err != nil {
		return File{}, fmt.Errorf("writing %s: %w", f.Path, err)
	}
	return f, nil
}

func (f File) notePath() string { return f.Path + ".json" }

// noted tells whether the file is there and whole, and what its note says.
func (f File) noted() (note, bool) {
	var n note
	text, err := os.ReadFile(f.notePath())
	if err != nil || json.Unmarshal(text, &n) != nil {
		return note{}, false
	}
	info, err := os.Stat(f.Path)
	return n, err == nil && n.Edition == edition && info.Size() == n.Bytes
}

// write puts the note beside the file last.
func (f *File) write(k kind) error {
	if err := os.Remove(f.notePath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	out, err := os.Create(f.Path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	random := rand.New(rand.NewPCG(edition, 2)) //nolint:gosec // to be the same each time
	row := header(nil, k)
	next := k.rows(random)
	for f.Rows, f.Bytes = -1, 0; f.Bytes < int64(f.Size); row = next(row[:0]) {
		n, _ := w.Write(row) // errors stay with w until Flush
		f.Bytes += int64(n)
		f.Rows++ // the first is the header
	}
	if err := errors.Join(w.Flush(), out.Close()); err != nil {
		return err
	}
	text, err := json.Marshal(note{Edition: edition, Rows: f.Rows, Bytes: f.Bytes})
	if err != nil {
		return err
	}
	return os.WriteFile(f.notePath(), text, 0o644) //nolint:gosec // for everyone to read
}

func header(row []byte, k kind) []byte {
	for n, column := range k.columns {
		if n > 0 {
			row = append(row, ',')
		}
		if k.quoted {
			column = `"` + column + `"`
		}
		row = append(row, column...)
	}
	return append(row, '\n')
}

// pick is one of several.
func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }
