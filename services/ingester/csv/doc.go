// Package csv reads records out of CSV bytes: it finds out how a file is written, where that is not told, and reads it so.
//
// It repairs what can be repaired without losing anything and says so in its warnings; it never changes or drops a value
// silently. What cannot be kept makes a bad row, which is an error that names line, column and byte offset, or is rejected
// and told beside the rows if some may be. Values are byte-exact: nothing is trimmed, and line ends inside quotes stay as
// they are.
//
// Where RFC 4180 is silent or too strict for the files that exist, the package reads on:
//
//   - A line ends with LF, CRLF or CR, in any mixture.
//   - A byte order mark is skipped.
//   - A quote inside an unquoted field is data.
//   - An unquoted empty field is NULL, a quoted one the empty string.
//   - A short row is filled with NULL, and surplus empty fields, quoted or not, are dropped; both are warned of.
//   - A blank line is skipped, but in a file of one column it is a row of one NULL. The line end of the last row starts
//     no further one. Blank lines before the header, or before the first row of a file without one, are skipped always.
//
// A file's life top-down: [Reader] settles how it is written in settle.go, by charset.go and detect.go, names the columns
// in header.go, and then hands out [Rows]. Rows as most rows are go through skim.go and fields.go, all others through
// scanner.go and current.go, the field in hand, which mend.go helps with what is wrong in quotes. With [Resume] the rows are
// read on from the end of any of them, as if all the file were read.
//
// Memory is bounded by [Limits] however long a line is.
package csv
