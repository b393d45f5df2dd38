package csv

import "bytes"

const (
	ratedRows  = 30
	ratedCells = 1000
	linesAbove = 100 // titles may have so many
)

// measure finds how wide the rows are, and how many agree.
func (c *candidate) measure() {
	c.width = 1
	counts := map[int]int{}
	for _, r := range c.rows {
		switch {
		case r.width == 1:
		case r.torn:
			counts[r.width]++
		default:
			counts[r.width] += 2
		}
	}
	most := 0
	for _, r := range c.rows {
		if n := counts[r.width]; n > most {
			c.width, most = r.width, n
		}
	}
	if c.width == 1 {
		c.agreement = 1
		return
	}
	for c.above < min(len(c.rows), linesAbove) && c.rows[c.above].width*2 <= c.width {
		c.above++
	}
	below := 0
	for most > 4 && below < 2 && c.rows[len(c.rows)-1-below].width*2 <= c.width {
		below++
	}
	widest := 0
	for _, r := range c.rows {
		widest = max(widest, r.width)
	}
	full := len(c.rows) > c.above+1 && c.rows[c.above].width == widest // the rows may lack their last values
	agree := 0.0
	for i := c.above; i < len(c.rows)-below; i++ {
		switch r := c.rows[i]; {
		case r.width == c.width && !r.torn || r.width > c.width && c.isEmpty(c.row(i)[c.width:]):
			agree++
			c.agreeing++
		case r.width == c.width, r.width > 1 && full && !r.torn:
			agree += 0.75
		case r.width > 1 && max(r.width-c.width, c.width-r.width) <= 1+c.width/8 && !r.torn:
			agree += 0.5
		}
	}
	c.agreement = agree / float64(len(c.rows)-c.above-below)
}

func (g *grid) isEmpty(cells []cell) bool {
	for _, c := range cells {
		if c.from < c.to {
			return false
		}
	}
	return true
}

// rate scores a candidate: by how many rows agree in their width, by how plausible their cells are, and by the prior.
// One that cannot come near the best so far is not looked at closely.
func (c *candidate) rate(prior, best float64) {
	c.prior = prior
	if c.width == 1 {
		c.score = 0
		if c.Delimiter == "" {
			c.score = prior * c.plausibility()
		}
		return
	}
	c.score = prior * c.agreement * c.agreement
	if c.above > 0 {
		c.score *= 0.9 * float64(c.agreeing) / (float64(c.agreeing) + float64(c.above)/4)
	}
	if c.score < max(scoreOfLines, best/2) {
		return
	}
	c.score *= c.plausibility()
	if c.score > scoreOfLines && (c.isProse() || !c.isProven()) {
		c.score *= 0.3
	}
}

// plausibility is the mean of some rows' cells.
func (c *candidate) plausibility() float64 {
	step := max(1, len(c.rows)/ratedRows)
	sum, n := 0.0, 0
	for i := min(c.above, len(c.rows)); i < len(c.rows) && n < ratedCells; i += step {
		if c.rows[i].torn && c.torn < len(c.rows)/2 {
			continue
		}
		cells := c.row(i)
		for _, cell := range cells[:min(len(cells), ratedCells)] {
			sum += c.plausible(cell)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// plausible is how likely it is that a cell is a whole value: 0 to 1.
func (g *grid) plausible(c cell) float64 {
	value := g.value(c)
	switch {
	case c.quoting == enclosed:
		return 1
	case c.quoting == torn:
		return 0.05
	case len(value) == 0:
		return 0.8
	}
	k := kindOf(value)
	if k.typed() {
		return 1
	}
	if p := g.foreign(value); p < 1 {
		return p
	}
	first, last := value[0], value[len(value)-1]
	switch {
	case isQuote(first) && first == last:
		return 0.4
	case isQuote(first) || isQuote(last) && first != last && bytes.Count(value, []byte{last})%2 == 1 && last != '\'':
		return 0.3
	case bytes.HasPrefix(value, []byte("//")) || (first == '{' || last == '}') && !balanced(value):
		return 0.2
	case first == ' ' || last == ' ' || !balanced(value):
		return 0.5
	case k == kindProse:
		return 0.85
	}
	return 0.95
}

// foreign judges other delimiters in a value that is not in quotes.
func (g *grid) foreign(value []byte) float64 {
	p := 1.0
	for i, c := range value {
		switch c {
		case '\t', 0x01, 0x1F:
			return 0.1
		case ';', '|':
			p = 0.4
		case ',':
			if i+1 < len(value) && value[i+1] != ' ' {
				p = 0.4
			}
		}
	}
	return p
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// balanced reports whether each bracket has its other one.
func balanced(value []byte) bool {
	depth := 0
	for _, c := range value {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return depth == 0
}
