package types

// Column is what the values of one column have been so far; its zero value has seen none. Which values it has seen matters,
// their order and how often does not: columns that were observed apart are joined to what one column would be.
type Column struct {
	lost set // what not all values fit
}

// Text is a column that is text whatever its values are, so that they are not looked at.
var Text = Column{lost: anything}

// Observe adds a value, which is not NULL.
func (c *Column) Observe(value []byte) {
	if c.lost == anything {
		return
	}
	if fits := fitting(value, anything&^c.lost); c.lost|fits != anything {
		c.keep(fits)
	}
}

// keep loses what is not in a set.
func (c *Column) keep(fits set) { c.lost = anything &^ (fits &^ c.lost).settled() }

// Join is the column that has seen the values of both.
func (c Column) Join(other Column) Column {
	c.keep(anything &^ other.lost)
	return c
}

// IsText reports whether some values fit no type, so that no further value can change the column.
func (c Column) IsText() bool { return c.lost == anything }

// Type is the narrowest type that all values fit, as SQL names it, and the form in which they are written if it is not the
// one in which Postgres writes them: "t/f" of boolean, "upper" of uuid, and of time, timestamp and timestamptz what
// [Column] has found of "T", ".0" to ".000000", "Z" and "+00:00", in this order. It is text if there has been no value.
func (c Column) Type() (name, form string) {
	fits := anything &^ c.lost
	switch {
	case fits.holds(nothing):
		return "text", ""
	case fits.holds(boolean):
		return "boolean", ""
	case fits.holds(booleanShort):
		return "boolean", "t/f"
	case fits.holds(smallint):
		return "smallint", ""
	case fits.holds(integer):
		return "integer", ""
	case fits.holds(bigint):
		return "bigint", ""
	case fits.holds(numeric):
		return "numeric", ""
	case fits.holds(double):
		return "double precision", ""
	case fits.holds(date):
		return "date", ""
	case fits.holds(clock):
		return "time", fits.form()
	case fits.holds(timestamp):
		return "timestamp", fits.form()
	case fits.holds(timestamptz):
		return "timestamptz", fits.form()
	case fits.holds(uuidLower):
		return "uuid", ""
	case fits.holds(uuidUpper):
		return "uuid", "upper"
	case fits.holds(jsonb):
		return "jsonb", ""
	}
	return "text", ""
}

// form names the form of moments.
func (s set) form() string {
	form := ""
	if s.holds(separators) && !s.holds(separatorSpace) {
		form = "T"
	}
	if !s.holds(fractionShort) {
		for digits, part := 1, fraction1; part <= fraction6; digits, part = digits+1, part<<1 {
			if s.holds(part) {
				form += ".000000"[:1+digits]
				break
			}
		}
	}
	switch {
	case !s.holds(zones), s.holds(zoneShort):
		return form
	case s.holds(zoneZ):
		return form + "Z"
	}
	return form + "+00:00"
}
