package csv

import "unicode/utf8"

// skim scans at once the unquoted fields at hand that end with a delimiter, which most fields do, and copies them in one
// piece. It changes nothing but the speed: whatever is not plain, or wrong, it leaves to scanField.
func (s *scanner) skim() {
	window := s.skimmable()
	delimiter, quote, limit := s.opts.Dialect.Delimiter, s.opts.Dialect.Quote, s.opts.Limits.Field
	room := s.unscanned() - 1 // the last field ends with a line end
	base, from := len(s.row), 0
	var bits byte // of the field's bytes together, to tell ASCII
	for i, c := range window {
		if !s.plain[c] {
			bits |= c
			continue
		}
		if c != delimiter || room <= 0 || i-from > limit || (i > from && window[from] == quote) {
			break
		}
		if bits >= utf8.RuneSelf && !utf8.Valid(window[from:i]) {
			break
		}
		value := span{base + from, base + i}
		if i == from {
			value = span{-1, -1}
		}
		s.fields = append(s.fields, value)
		from, bits = i+1, 0
		room--
	}
	s.row = append(s.row, window[:from]...) // with its delimiters, which no span covers
	s.in.pos += from
}

// skimmable returns the bytes at hand that are within the row's limit, or none if a quote comes first.
func (s *scanner) skimmable() []byte {
	window := s.in.buf[s.in.pos:s.in.end]
	if len(window) > 0 && window[0] == s.opts.Dialect.Quote {
		return nil
	}
	return window[:min(len(window), s.opts.Limits.Row-int(s.in.offset()-s.start))]
}

// unscanned is how many more fields the record may have.
func (s *scanner) unscanned() int {
	if len(s.columns) == 0 {
		return s.opts.Limits.Columns - len(s.fields)
	}
	return len(s.columns) - len(s.fields)
}
