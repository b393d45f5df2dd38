package csv

// Record is one row of the file.
type Record struct {
	// Values has one value per column: nil is NULL, an empty slice that is not nil the empty string. The slice and the
	// bytes in it are valid until the next call of Read.
	Values [][]byte
	// Line is where the record starts, from 1. LF, CRLF and CR each end a line, inside quotes too.
	Line int64
	// Start is the offset in the source of the record's first byte, End the one behind its line end. A record starts
	// where the one before ended, unless blank lines were skipped between them.
	Start, End int64
}
