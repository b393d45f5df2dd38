package events

// CSV says how a file is written, as far as the user has said. What is nil, empty or 0 is detected.
type CSV struct {
	Encoding   string  `json:"encoding,omitempty"`    // the WHATWG name in lower case, or "utf-16": by its byte order mark
	Delimiter  *string `json:"delimiter,omitempty"`   // "": the file has one column
	Quote      *string `json:"quote,omitempty"`       // "": there are no quotes
	Escape     *string `json:"escape,omitempty"`      // "" or the quote: quotes are doubled, nothing else
	Header     *bool   `json:"header,omitempty"`      // whether rows at the top name the columns
	HeaderRows int     `json:"header_rows,omitempty"` // how many rows do; there is a header when this is stated
	SkipRows   *int    `json:"skip_rows,omitempty"`   // lines above the header
	Comment    string  `json:"comment,omitempty"`     // lines that start with it are skipped
	AllowHTML  bool    `json:"allow_html,omitempty"`  // it is CSV although it starts like a web page
}
