package csv

import (
	"bytes"
	"strings"
)

// written reads the sample with a delimiter, with the quote and the escape that fit best.
func (c *chooser) written(d delimiter) candidate {
	var best candidate
	for i, quote := range c.quotes(d.text) {
		next := c.escaped(d, quote)
		// A quote other than the usual one has to be needed, or to be there again and again.
		if i > 0 && !next.needsQuotes() {
			continue
		}
		if best.width == 0 || next.score > best.score {
			best = next
		}
	}
	if best.enclosed == 0 && best.torn > 0 && c.stated.Quote == nil && (c.stated.Escape == nil || *c.stated.Escape == "") {
		none := c.read(d, 0, 0)
		fits := best.rows[0].width != best.width || none.width == best.width // a header that fits knows how many fields there are
		if none.score >= best.score && fits {
			if best.torn < 3 { // which are mistakes, and no way to write
				none.Quote = best.Quote
			}
			return none
		}
	}
	return best
}

// needsQuotes reports whether a quote is one: where cells need it it may be torn now and then, but not where it is only
// there in many.
func (c *candidate) needsQuotes() bool {
	if c.needed > 0 {
		return c.torn*2 <= c.enclosed
	}
	return c.enclosed > 0 && c.enclosed*2 >= len(c.rows) && c.torn*10 <= c.enclosed
}

// quotes are the candidates for a quote beside a delimiter, the likeliest first; at least one.
func (c *chooser) quotes(delimiter string) []byte {
	if c.stated.Quote != nil {
		return []byte{byteOf(c.stated.Quote)}
	}
	var quotes []byte
	for _, q := range []byte("\"'`") {
		if strings.IndexByte(delimiter, q) < 0 && (len(quotes) == 0 || c.opens(q, delimiter)) {
			quotes = append(quotes, q)
		}
	}
	if len(quotes) == 0 {
		quotes = []byte{0}
	}
	return quotes
}

// opens reports whether a quote stands where a cell starts.
func (c *chooser) opens(quote byte, delimiter string) bool {
	q := string(rune(quote))
	if bytes.IndexByte(c.text, quote) < 0 {
		return false
	}
	return bytes.HasPrefix(c.text, []byte(q)) || bytes.Contains(c.text, []byte("\n"+q)) || bytes.Contains(c.text, []byte("\r"+q)) ||
		delimiter != "" && bytes.Contains(c.text, []byte(delimiter+q))
}

// escaped reads the sample with and without a backslash as the escape.
func (c *chooser) escaped(d delimiter, quote byte) candidate {
	if c.stated.Escape != nil {
		return c.read(d, quote, byteOf(c.stated.Escape))
	}
	plain := c.read(d, quote, 0)
	if quote == 0 || strings.Contains(d.text, `\`) || !bytes.Contains(c.text, []byte{'\\', quote}) {
		return plain
	}
	escaped := c.read(d, quote, '\\')
	// A backslash before a closing quote, as at the end of a path, is no escape: with it, cells would be torn.
	if escaped.torn > plain.torn || escaped.score < plain.score || escaped.torn == plain.torn && escaped.score == plain.score {
		return plain
	}
	return escaped
}

func (c *chooser) read(d delimiter, quote, escape byte) candidate {
	way := Dialect{Delimiter: d.text, Quote: quote, Escape: escape, Comment: c.stated.Comment}
	next := candidate{grid: split(c.text, c.complete, way)}
	next.measure()
	next.rate(d.prior, c.best.score)
	return next
}

func byteOf(stated *string) byte {
	if len(*stated) == 0 {
		return 0
	}
	return (*stated)[0]
}
