// Package csv reads records out of CSV bytes: the format of RFC 4180 with a given delimiter and quote.
//
// It repairs what can be repaired without losing anything and says so in its warnings; it never changes or drops a value
// silently, and fails naming line, column and byte offset when something cannot be kept. Values are byte-exact: nothing
// is trimmed, and line ends inside quotes stay as they are.
//
// Where RFC 4180 is silent or too strict for the files that exist, the package reads on:
//
//   - A line ends with LF, CRLF or CR, in any mixture.
//   - A UTF-8 byte order mark is skipped.
//   - A quote inside an unquoted field is data.
//   - An unquoted empty field is NULL, a quoted one the empty string.
//   - A short row is filled with NULL, and surplus empty fields, quoted or not, are dropped; both are warned of.
//   - A blank line is skipped, but in a file of one column it is a row of one NULL. The line end of the last row starts
//     no further one. Blank lines before the header, or before the first row of a file without one, are skipped always.
//
// Memory is bounded by [Limits] however long a line is.
package csv
