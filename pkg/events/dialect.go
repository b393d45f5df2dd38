package events

// Dialect reports how the file was read. What it says of a file's delimiter, quote and so on can be stated in [CSV].
type Dialect struct {
	Encoding   string  `json:"encoding"`
	Delimiter  string  `json:"delimiter"`         // "" when the file has one column
	Quote      string  `json:"quote"`             // "" when there are no quotes
	Escape     string  `json:"escape"`            // the quote when quotes are doubled, nothing else
	Header     bool    `json:"header"`            // whether rows name the columns
	HeaderRows int     `json:"header_rows"`       // how many do; 0 if there is no header, and in results of before it was told
	SkipRows   int     `json:"skip_rows"`         // lines above the header
	Comment    string  `json:"comment,omitempty"` // lines that start with it were skipped; "" for none
	LineEnd    string  `json:"line_end"`          // one of the kinds below; "" in results of before it was told
	Confidence float64 `json:"confidence"`        // 0 to 1: in the least certain of what was detected; 1 if all was stated
}

// The kinds of line ends of a [Dialect].
const (
	LineEndLF    = "lf"
	LineEndCRLF  = "crlf"
	LineEndCR    = "cr"
	LineEndMixed = "mixed"
	LineEndNone  = "none" // the first part of the file, which was looked at, has none
)
