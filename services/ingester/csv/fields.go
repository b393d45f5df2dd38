package csv

import "bytes"

// fields takes the row in hand field by field.
func (p *pass) fields() stop {
	before := p.marks
	why := p.takeFields()
	if why != goOn {
		p.marks = before // the next pass may begin within this row
	}
	return why
}

// takeFields does what fields says. Each value is copied while its end is looked for, a word at a time, as if
// nothing in it meant anything to COPY; the few that contain such a byte are written again.
func (p *pass) takeFields() stop {
	p.flush()
	limit := min(len(p.in), p.at+p.longest)
	special := p.special()
	at, to, lines := p.at, p.end, int64(1)
	for n := 1; ; n++ {
		if at >= limit {
			return p.beyond(limit)
		}
		from, copied := at, to
		quoted := p.in[at] == p.quote && p.quote != 0
		if quoted {
			from++
			at, to = p.copyQuoted(from, to, limit)
		} else {
			at, to = p.copyUnquoted(at, to, limit)
		}
		if at >= limit {
			return p.beyond(limit)
		}
		if special < at || quoted && (p.lf < at || p.holdsSeparator(from, at)) {
			content := p.content(from, at, quoted)
			if to = p.escaped(content, copied, quoted); to < 0 {
				return stopOdd
			}
			lines += lineEnds(content)
			p.seek(&p.lf, '\n', at)
			p.seekSpecial(at)
			special = p.special()
		}
		switch {
		case to == copied && quoted:
			if p.null == nullNothing {
				return stopOdd // an empty string, which this format has no way to write
			}
		case to == copied && p.empty, !quoted && at-from <= p.longNull+1 && isWord(p.content(from, at, false), p.nulls):
			to = copied + copy(p.out[copied:], p.null)
		}
		c := p.in[at]
		if c == '\r' && at+1 < limit {
			at++
			c = p.in[at]
		}
		at++
		switch {
		case c == p.delimiter && n < p.columns:
			p.out[to] = p.sep
			to++
		case c == '\n' && n == p.columns:
			p.at, p.plain, p.end = at, at, p.endRow(to)
			p.rows++
			p.lines += lines
			return goOn
		default:
			return stopOdd
		}
	}
}

// copyQuoted copies a value up to its closing quote, with each doubled quote as one, and returns the place behind that
// quote. A place that is not below the limit means nothing.
func (p *pass) copyQuoted(at, to, limit int) (int, int) {
	in, out, quotes := p.in[:len(p.in)+wordSize], p.out, spread(p.quote)
	for at < limit {
		w := word(in, at)
		putWord(out, to, w)
		marks := matches(w, quotes)
		if marks == 0 {
			at, to = at+wordSize, to+wordSize
			continue
		}
		n := firstMark(marks)
		at, to = at+n+1, to+n
		if at >= limit || in[at] != p.quote {
			break
		}
		at, to = at+1, to+1 // over the second quote, which keeps the first, copied one
	}
	return at, to
}

// copyUnquoted copies a value up to a delimiter or LF, and returns its place.
func (p *pass) copyUnquoted(at, to, limit int) (int, int) {
	in, out, delimiters, lfs := p.in[:len(p.in)+wordSize], p.out, spread(p.delimiter), uint64(ones*'\n')
	for at < limit {
		w := word(in, at)
		putWord(out, to, w)
		if marks := matches(w, delimiters) | matches(w, lfs); marks != 0 {
			n := firstMark(marks)
			return at + n, to + n
		}
		at, to = at+wordSize, to+wordSize
	}
	return at, to
}

// beyond is the verdict on a row that does not end before the limit.
func (p *pass) beyond(limit int) stop {
	if limit == len(p.in) {
		return stopCut
	}
	return stopOdd
}

// special is the place of the next byte that means something to COPY, or that only the scanner knows how to read. LF is
// not counted: it is rare only inside quotes.
func (p *pass) special() int { return min(p.cr, p.backslash, p.escapeAt, p.foreign) }

// holdsSeparator reports whether a value in quotes contains what separates values in COPY, where that is not looked for in
// the whole input.
func (p *pass) holdsSeparator(from, at int) bool {
	return p.foreignSep == 0 && bytes.IndexByte(p.in[from:at], p.sep) >= 0
}

// content is the value in the source that goes from a place to the separator, or to behind the closing quote.
func (p *pass) content(from, at int, quoted bool) []byte {
	if quoted || p.in[at] == '\n' && at > from && p.in[at-1] == '\r' {
		at--
	}
	return p.in[from:at]
}

// escaped writes a value with what means something to COPY escaped, and returns the place behind it, or less than 0 if
// the value is for the scanner.
func (p *pass) escaped(content []byte, to int, quoted bool) int {
	out := p.out
	for i := 0; i < len(content); i++ {
		c := content[i]
		switch {
		case quoted && c == p.quote:
			i++ // of two
		case quoted && c == p.escape, !quoted && c == '\r':
			return -1
		case c == '\\' || c == p.sep:
			out[to] = '\\'
			to++
		case c == '\n':
			out[to] = '\\'
			to++
			c = 'n'
		case c == '\r':
			out[to] = '\\'
			to++
			c = 'r'
		}
		out[to] = c
		to++
	}
	return to
}
