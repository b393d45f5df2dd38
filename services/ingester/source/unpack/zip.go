package unpack

import (
	"bufio"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"sluice/pkg/events"
)

// How many names of an archive's members a failure lists.
const (
	maxListed     = 10
	maxListedName = 200 // bytes of each
)

// zipMember decompresses one member of a zip archive (PKWARE's APPNOTE 6.3) as the archive comes, so that neither a seekable
// file nor room for it is needed. The directory at the end, which is what counts, is compared with what was met on the way.
type zipMember struct {
	archive *Reader
	src     *bufio.Reader // its bytes
	wanted  string        // "" for the one CSV file

	found   zipEntry
	content *zipContent // of the member; nil before it and behind it
	past    bool        // whether the member was read
	skipped int64       // bytes that were decompressed of other members
	met     []string    // the first members' names
}

// Read implements [io.Reader].
func (z *zipMember) Read(p []byte) (int, error) {
	if z.content == nil {
		if z.past {
			return 0, io.EOF
		}
		if err := z.find(); err != nil {
			return 0, err
		}
	}
	n, err := z.content.Read(p)
	if err != io.EOF { //nolint:errorlint // a wrapped one is not the end
		return n, err
	}
	z.content, z.past = nil, true
	if err := z.finish(); err != nil {
		return n, err
	}
	return n, io.EOF
}

// find goes on to the member that is to be read.
func (z *zipMember) find() error {
	entry, found, err := z.nextWanted()
	if err != nil {
		return err
	}
	if !found {
		return z.notFound()
	}
	z.found = entry
	if z.content, err = newZipContent(z.src, &z.found); err != nil {
		return z.unsupported(entry, err)
	}
	return nil
}

// finish looks at all that lies behind the member: there must be no other one that is as good, and a directory that has it.
func (z *zipMember) finish() error {
	entry, found, err := z.nextWanted()
	if err != nil {
		return err
	}
	if found {
		return z.ambiguous(entry)
	}
	return z.checkDirectory()
}

// nextWanted reads on behind the header of the next member that may be meant, if one follows.
func (z *zipMember) nextWanted() (entry zipEntry, found bool, err error) {
	for {
		entry, more, err := z.next()
		if err != nil || !more || z.isWanted(entry.name) {
			return entry, more, err
		}
		if err := z.skip(entry); err != nil {
			return zipEntry{}, false, err
		}
	}
}

// next reads the header of the next member, if one follows.
func (z *zipMember) next() (entry zipEntry, more bool, err error) {
	signature, err := z.src.Peek(4)
	if err != nil {
		return zipEntry{}, false, unexpected(err)
	}
	if string(signature) != "PK\x03\x04" {
		return zipEntry{}, false, nil
	}
	entry, err = readEntry(z.src, z.archive.taken())
	if err != nil {
		return zipEntry{}, false, err
	}
	if len(z.met) <= maxListed && !entry.isFolder() {
		z.met = append(z.met, entry.name)
	}
	if len(z.met) == 1 && z.wanted == "" {
		if kind := officeDocument(entry.name); kind != "" {
			return entry, false, events.Failf(events.CodeNotCSV, "%s is %s, not CSV; export it as CSV and load that", z.archive.file.At, kind)
		}
	}
	return entry, true, nil
}

// officeDocument says of which kind an archive is that begins with a member of such a name.
func officeDocument(first string) string {
	switch first {
	case "[Content_Types].xml", "_rels/.rels":
		return "an Office document, such as .xlsx"
	case "mimetype":
		return "an OpenDocument file, such as .ods"
	}
	return ""
}

// isWanted reports whether a member is the one that was asked for, or else may be the one CSV file.
func (z *zipMember) isWanted(name string) bool {
	if z.wanted != "" {
		return norm.NFC.String(name) == norm.NFC.String(z.wanted) // archives of a Mac have accents apart from their letters
	}
	return looksLikeCSV(name)
}

// looksLikeCSV goes by the name, and leaves out what file managers add on their own.
func looksLikeCSV(name string) bool {
	base := path.Base(name)
	if strings.HasSuffix(name, "/") || strings.HasPrefix(base, ".") || strings.HasPrefix(name, "__MACOSX/") {
		return false
	}
	return slices.Contains([]string{".csv", ".tsv", ".tab", ".psv"}, strings.ToLower(path.Ext(base)))
}

// skip leaves a member out. One that does not say how long it is has to be decompressed.
func (z *zipMember) skip(entry zipEntry) error {
	if !entry.streamed {
		for left := entry.size; left > 0; {
			n, err := z.src.Discard(int(min(left, 1<<30)))
			if left -= int64(n); err != nil {
				return unexpected(err)
			}
		}
		return nil
	}
	content, err := newZipContent(z.src, &entry)
	if err != nil {
		return z.unsupported(entry, err)
	}
	buffer := make([]byte, bufferSize)
	for {
		n, err := content.Read(buffer)
		z.skipped += int64(n)
		if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
			return nil
		}
		if err == nil {
			err = z.archive.checkRatio(z.skipped)
		}
		if err != nil {
			return err
		}
	}
}

// checkDirectory reads the archive's directory, and compares what it has of the member with what was read.
func (z *zipMember) checkDirectory() error {
	listed, candidates := false, 0
	directory := zipDirectory{offset: z.archive.taken()}
	for ; ; directory.entries++ {
		entry, more, err := readListed(z.src)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if z.isWanted(entry.name) {
			candidates++
		}
		isFound := entry.asListed() == z.found.asListed()
		if isFound && entry.link {
			return events.Failf(events.CodeSourceUnsupported, "%s has a member %s that is a symbolic link; name the member that it leads to",
				z.archive.file.At, quoted(entry.name))
		}
		listed = listed || isFound
	}
	directory.size = z.archive.taken() - directory.offset
	switch {
	case !listed:
		return damaged("its directory does not have the member that was read")
	case candidates > 1:
		return damaged("its directory has more members than the archive")
	}
	return directory.checkEnd(z.src)
}

func (z *zipMember) notFound() error {
	at := z.archive.file.At
	switch {
	case len(z.met) == 0:
		return events.Failf(events.CodeMemberNotFound, "%s is an archive without any file; check what made it", at)
	case z.wanted != "":
		return events.Failf(events.CodeMemberNotFound, "%s has no member %q, but %s; name one of those", at, z.wanted, z.names())
	}
	return events.Failf(events.CodeMemberNotFound,
		"%s has no member that is called like a CSV file, but %s; name the one to load as member", at, z.names())
}

func (z *zipMember) ambiguous(other zipEntry) error {
	at := z.archive.file.At
	if other.name == z.found.name || z.wanted != "" {
		return events.Failf(events.CodeMemberAmbiguous, "%s has the member %s twice; make the archive anew", at, quoted(other.name))
	}
	return events.Failf(events.CodeMemberAmbiguous, "%s has several CSV files, such as %s and %s; name the one to load as member",
		at, quoted(z.found.name), quoted(other.name))
}

func (z *zipMember) unsupported(entry zipEntry, why error) error {
	return events.Failf(events.CodeSourceUnsupported, "%s has a member %s that %w; make the archive anew with Deflate and without a password",
		z.archive.file.At, quoted(entry.name), why)
}

// names lists members for a failure.
func (z *zipMember) names() string {
	list := make([]string, min(len(z.met), maxListed))
	for i := range list {
		list[i] = quoted(z.met[i])
	}
	text := strings.Join(list, ", ")
	if len(z.met) > maxListed {
		text += " and others"
	}
	return text
}

// quoted is a member's name as failures show it, which must leave room for what to do.
func quoted(name string) string { return strconv.Quote(name[:min(len(name), maxListedName)]) }

// unexpected is the end of the archive where it must not be.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // a wrapped one is not the end
		return io.ErrUnexpectedEOF
	}
	return err
}
