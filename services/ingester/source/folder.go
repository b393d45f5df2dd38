package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sluice/pkg/events"
)

// settledAge is how old a file's last change must be for the date to tell its versions apart: some file systems count in two
// seconds.
const settledAge = 5 * time.Second

// folders are those of this machine whose files may be read.
type folders struct{ paths []string } // absolute

func newFolders(list []string) (*folders, error) {
	f := &folders{}
	for _, path := range list {
		info, err := os.Stat(path)
		switch {
		case !filepath.IsAbs(path):
			return nil, fmt.Errorf("folder %q is not an absolute path", path)
		case err != nil:
			return nil, fmt.Errorf("folder %q cannot be read: %w", path, err)
		case !info.IsDir():
			return nil, fmt.Errorf("%q is not a folder", path)
		}
		f.paths = append(f.paths, filepath.Clean(path))
	}
	return f, nil
}

// open opens a file by its URL (RFC 8089) if it lies in one of the folders: neither .. nor a symbolic link leads out of them.
func (f *folders) open(_ context.Context, wanted Request, r *rest) (*answered, error) {
	u, err := url.Parse(wanted.URL)
	if err != nil || !isLocal(u) {
		return nil, events.Failf(events.CodeSourceUnsupported,
			"%s is not a valid address of a file; give it as file:///path", showRaw(wanted.URL))
	}
	at := shownURL{&url.URL{Scheme: "file", Path: u.Path}}
	name := filepath.FromSlash(u.Path)
	var failure error = outside(at)
	for _, folder := range f.paths {
		inside, err := filepath.Rel(folder, name)
		if err != nil || !filepath.IsLocal(inside) {
			continue
		}
		file, err := openInside(folder, inside, at)
		if err != nil {
			failure = err
			continue // folders may overlap
		}
		return describe(file, at, u, r)
	}
	return nil, failure
}

// isLocal reports whether a URL is no more than the absolute path of a file of this machine.
func isLocal(u *url.URL) bool {
	bare := (u.Host == "" || u.Host == "localhost") && u.User == nil && u.RawQuery == ""
	return bare && filepath.IsAbs(filepath.FromSlash(u.Path)) && !strings.Contains(u.Path, "\x00")
}

func outside(at fmt.Stringer) *events.Failure {
	return events.Failf(events.CodeSourceForbidden,
		"%s is not in a folder that may be read, or leads out of it; have the operator list its folder in SLUICE_SOURCE_FOLDERS", at)
}

func openInside(folder, name string, at fmt.Stringer) (*os.File, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fileFailure(err, at)
	}
	defer root.Close()                                                  //nolint:errcheck // nothing was written
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer must not be waited for
	if err != nil {
		return nil, fileFailure(err, at)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = events.Failf(events.CodeSourceUnsupported, "%s is not a file but a %s; name a file", at, kindOfFile(info.Mode()))
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, fileFailure(err, at)
	}
	return file, nil
}

func kindOfFile(mode fs.FileMode) string {
	if mode.IsDir() {
		return "folder"
	}
	return "pipe, socket or device"
}

// fileFailure words why a file cannot be opened or read.
func fileFailure(err error, at fmt.Stringer) *events.Failure {
	if f, ok := errors.AsType[*events.Failure](err); ok {
		return f
	}
	var number syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP),
		errors.Is(err, syscall.ENAMETOOLONG): // which no later try will find either
		return events.Failf(events.CodeSourceNotFound, "%s does not exist; check the path, as the ingester's machine has it", at)
	case errors.Is(err, fs.ErrPermission):
		return events.Failf(events.CodeSourceRefused, "%s may not be read by the ingester's user; give it the right to", at)
	case errors.As(err, &number):
		return events.Failf(events.CodeSourceUnavailable, "%s cannot be read: %w; check its disk or try again later", at, number)
	}
	return outside(at) // a link leads out of the folder
}

// describe makes a file that was opened what is read, from where it is gone on.
func describe(file *os.File, at fmt.Stringer, u *url.URL, r *rest) (*answered, error) {
	info, err := file.Stat()
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, fileFailure(err, at)
	}
	a := &answered{
		about:   about{at: at, name: nameOf(u), size: info.Size(), framed: true, validator: fileValidator(info, u.Path)},
		content: &folderFile{File: file, was: info, left: info.Size()},
	}
	if r == nil {
		return a, nil
	}
	if err = r.checkAll(a.validator, a.size); err == nil && r.offset > 0 && r.was.usable() && r.was.proves(a.validator) {
		a.start = r.from
		a.content = &folderFile{File: file, was: info, left: info.Size() - r.from}
		_, err = file.Seek(r.from, io.SeekStart)
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return a, nil
}

// fileValidator recognises a file by its size and the date of its last change, once that is settled. The date can be set back;
// when that was done cannot.
func fileValidator(info fs.FileInfo, path string) Validator {
	v := Validator{Length: info.Size(), Place: placeHash("file " + path)}
	if time.Since(info.ModTime()) >= settledAge {
		v.ETag = fmt.Sprintf(`"%d-%d-%d"`, info.Size(), info.ModTime().UnixNano(), changeTime(info))
	}
	return v
}

// errRewritten says that a file was changed while it was read.
var errRewritten = errors.New("rewritten")

// folderFile is a file's content as it was when it was opened.
type folderFile struct {
	*os.File
	was  fs.FileInfo
	left int64
}

// Read implements [io.Reader].
func (f *folderFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, f.ended()
	}
	n, err := f.File.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == io.EOF {
		err = errRewritten // it was cut
	}
	return n, err
}

func (f *folderFile) ended() error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if now.Size() != f.was.Size() || !now.ModTime().Equal(f.was.ModTime()) {
		return errRewritten
	}
	return io.EOF
}

func (f *folderFile) broke(err error, at fmt.Stringer, place string) *events.Failure {
	if errors.Is(err, errRewritten) {
		return events.Failf(events.CodeSourceChanged,
			"%s was changed while it was read, at %s; write another file and rename it once it is complete", at, place)
	}
	return fileFailure(err, at)
}
