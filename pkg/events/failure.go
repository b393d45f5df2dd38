package events

import (
	"errors"
	"fmt"
	"strings"
)

// Code names a kind of failure. Codes are stable: clients decide by them.
type Code string

// The codes of failed jobs; docs/errors.md tells users what to do about each.
const (
	CodeSourceForbidden     Code = "source_forbidden"
	CodeSourceNotFound      Code = "source_not_found"
	CodeSourceRefused       Code = "source_refused"
	CodeSourceUnreachable   Code = "source_unreachable"
	CodeSourceUnavailable   Code = "source_unavailable"
	CodeSourceTruncated     Code = "source_truncated"
	CodeSourceStalled       Code = "source_stalled"
	CodeSourceTooLarge      Code = "source_too_large"
	CodeSourceRedirects     Code = "source_redirects"
	CodeSourceUnsupported   Code = "source_unsupported"
	CodeSourceChanged       Code = "source_changed"
	CodeSourceCorrupt       Code = "source_corrupt"
	CodeCompressionRatio    Code = "compression_ratio"
	CodeMemberNotFound      Code = "member_not_found"
	CodeMemberAmbiguous     Code = "member_ambiguous"
	CodeUploadNotFound      Code = "upload_not_found"
	CodeSecretUnreadable    Code = "secret_unreadable"
	CodeNotCSV              Code = "not_csv"
	CodeEmptySource         Code = "empty_source"
	CodeUnterminatedQuote   Code = "unterminated_quote"
	CodeStrayQuote          Code = "stray_quote"
	CodeTooManyFields       Code = "too_many_fields"
	CodeNULByte             Code = "nul_byte"
	CodeBadEncoding         Code = "bad_encoding"
	CodeFieldTooLong        Code = "field_too_long"
	CodeRowTooLong          Code = "row_too_long"
	CodeTooManyColumns      Code = "too_many_columns"
	CodeRowTooWide          Code = "row_too_wide"
	CodeTooManyBadRows      Code = "too_many_bad_rows"
	CodeTableExists         Code = "table_exists"
	CodeTableBusy           Code = "table_busy"
	CodeNotATable           Code = "not_a_table"
	CodeDependentsExist     Code = "dependents_exist"
	CodeColumnsDiffer       Code = "columns_differ"
	CodeTypeUnknown         Code = "type_unknown"
	CodeTypeMismatch        Code = "type_mismatch"
	CodeKeyUnusable         Code = "key_unusable"
	CodeValueInvalid        Code = "value_invalid"
	CodeSchemaNotFound      Code = "schema_not_found"
	CodeNotPermitted        Code = "not_permitted"
	CodeStorageFull         Code = "storage_full"
	CodeDatabaseUnavailable Code = "database_unavailable"
	CodeDatabaseError       Code = "database_error"
	CodeTimeLimit           Code = "time_limit"
	CodeAttemptsExhausted   Code = "attempts_exhausted"
	CodeAbandoned           Code = "abandoned"
	CodeInternal            Code = "internal"
)

// codes is the one table of what a code means. Retryable codes are tried again, up to the limit of attempts.
var codes = map[Code]struct {
	retryable bool
	title     string
}{
	CodeSourceForbidden:     {false, "the source's address is not allowed"},
	CodeSourceNotFound:      {false, "the source does not exist"},
	CodeSourceRefused:       {false, "the source's server refuses to give it"},
	CodeSourceUnreachable:   {true, "the source's server cannot be reached"},
	CodeSourceUnavailable:   {true, "the source's server is busy or broken"},
	CodeSourceTruncated:     {true, "the source ended before its announced length"},
	CodeSourceStalled:       {true, "the source stopped sending"},
	CodeSourceTooLarge:      {false, "the source is larger than allowed"},
	CodeSourceRedirects:     {false, "the source redirects too often or to a place not allowed"},
	CodeSourceUnsupported:   {false, "the source's server answers in a form that is not supported"},
	CodeSourceChanged:       {true, "the source was changed while it was read"},
	CodeSourceCorrupt:       {false, "the source's compressed data is damaged"},
	CodeCompressionRatio:    {false, "the source expands more than allowed when it is decompressed"},
	CodeMemberNotFound:      {false, "the archive does not hold the file to be loaded"},
	CodeMemberAmbiguous:     {false, "the archive holds several CSV files"},
	CodeUploadNotFound:      {false, "the uploaded file is not there any more"},
	CodeSecretUnreadable:    {false, "the source's sealed address cannot be opened with this ingester's key"},
	CodeNotCSV:              {false, "the source is not CSV"},
	CodeEmptySource:         {false, "the source is empty"},
	CodeUnterminatedQuote:   {false, "a quoted field is never closed"},
	CodeStrayQuote:          {false, "something follows a closing quote"},
	CodeTooManyFields:       {false, "a row has more values than the header has columns"},
	CodeNULByte:             {false, "a field contains a NUL byte, which Postgres cannot store in text"},
	CodeBadEncoding:         {false, "a field is not valid in the file's encoding"},
	CodeFieldTooLong:        {false, "a field is longer than allowed"},
	CodeRowTooLong:          {false, "a row is longer than allowed"},
	CodeTooManyColumns:      {false, "the header has more columns than a Postgres table can have"},
	CodeRowTooWide:          {false, "a row does not fit into a page of Postgres"},
	CodeTooManyBadRows:      {false, "more rows are bad than the job allows"},
	CodeTableExists:         {false, "the table exists already"},
	CodeTableBusy:           {true, "the table is in use by others"},
	CodeNotATable:           {false, "what is to be loaded into is not a plain table"},
	CodeDependentsExist:     {false, "something depends on the table that is to be replaced"},
	CodeColumnsDiffer:       {false, "the file's columns are not the table's"},
	CodeTypeUnknown:         {false, "the database has no type of the name that is stated"},
	CodeTypeMismatch:        {false, "the type that is stated for a column is not the one"},
	CodeKeyUnusable:         {false, "the key does not tell the rows apart"},
	CodeValueInvalid:        {false, "a value does not fit the type of its column"},
	CodeSchemaNotFound:      {false, "the schema does not exist"},
	CodeNotPermitted:        {false, "the ingester's database role may not do this"},
	CodeStorageFull:         {true, "the database's disk is full"},
	CodeDatabaseUnavailable: {true, "the database cannot be reached"},
	CodeDatabaseError:       {false, "the database refused a statement"},
	CodeTimeLimit:           {false, "the job ran longer than allowed"},
	CodeAttemptsExhausted:   {false, "too many attempts in a row failed"},
	CodeAbandoned:           {false, "the queue has lost the job"},
	CodeInternal:            {false, "an error of Sluice's own"},
}

// Codes lists every code of a failed job, in no particular order.
func Codes() []Code {
	list := make([]Code, 0, len(codes))
	for c := range codes {
		list = append(list, c)
	}
	return list
}

// Retryable reports whether a failure of this kind may pass by itself.
func (c Code) Retryable() bool { return codes[c].retryable }

// Title says in a few words what the code means.
func (c Code) Title() string { return codes[c].title }

// Failure is an error that a user gets to see: why an attempt or a job ended. It implements error.
type Failure struct {
	Code       Code   `json:"code"`
	Message    string `json:"message"`
	Retryable  bool   `json:"retryable"`
	Line       int64  `json:"line,omitempty"`        // in the decompressed source, from 1; 0 when not about a line
	Column     int64  `json:"column,omitempty"`      // the field in its row, from 1; 0 when not about a field
	ByteOffset *int64 `json:"byte_offset,omitempty"` // likewise, from 0; nil when not about a place

	cause error
}

// maxMessage bounds a failure's message in bytes: it travels in events, documents and answers.
const maxMessage = 4 << 10

// Failf returns a failure with a message for the user, cut at 4 KiB. One %w verb keeps the cause for errors.Is and
// errors.As.
func Failf(code Code, format string, args ...any) *Failure {
	err := fmt.Errorf(format, args...)
	return &Failure{Code: code, Message: clip(err.Error()), Retryable: code.Retryable(), cause: errors.Unwrap(err)}
}

func clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "..."
}

// CausedBy keeps an error for errors.Is and errors.As that is not for the user's eyes, and returns f.
func (f *Failure) CausedBy(err error) *Failure {
	f.cause = err
	return f
}

// AtPlace says where in the source the failure lies and returns f. Line and column count from 1, the offset from 0.
func (f *Failure) AtPlace(line, column, offset int64) *Failure {
	f.Line, f.Column, f.ByteOffset = line, column, &offset
	return f
}

// Error returns the code and the message.
func (f *Failure) Error() string { return string(f.Code) + ": " + f.Message }

// Unwrap returns the cause, if the failure was made in this process from one.
func (f *Failure) Unwrap() error { return f.cause }
