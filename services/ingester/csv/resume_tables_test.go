package csv_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/services/ingester/csv"
)

// randomTable is a small file in some dialect and encoding with all that can be wrong in rows.
type randomTable struct {
	rnd      *rand.Rand
	opts     csv.Options
	columns  int
	lineEnds []string
	quote    string
	delim    string
	escape   string
	comment  string
	label    string // of the encoding
	letters  string // that it has
	wrong    int    // of 100 rows
}

var randomLetters = map[string]string{
	"utf-8": "äß€日本😀\ufeff\u00a0", "windows-1252": "äöüßé€“", "windows-1251": "Москва", "koi8-r": "Москва", "iso-8859-2": "łąóść",
	"utf-16le": "äß€日本😀\ufeff", "utf-16be": "äß€日本😀\ufeff", "shift_jis": "能力ソ表ポ日ｱ", "euc-jp": "日本語都市", "gbk": "城市省份人口",
	"gb18030": "城市😀ä€", "big5": "臺北高雄", "euc-kr": "도시지방",
}

func newRandomTable(seed uint64) *randomTable {
	m := &randomTable{rnd: rand.New(rand.NewPCG(seed, 8))}
	m.columns = 1 + m.rnd.IntN(4)
	m.delim = m.pick(",", ",", ";", "\t", "|", "||", ", ", ".")
	m.quote = m.pick(`"`, `"`, `"`, "'", "")
	if m.quote != "" && m.rnd.IntN(4) == 0 {
		m.escape = `\`
	}
	if m.rnd.IntN(4) == 0 {
		m.comment = "#"
	}
	m.lineEnds = [][]string{{"\n"}, {"\n"}, {"\r\n"}, {"\r"}, {"\n", "\r\n", "\r"}}[m.rnd.IntN(5)]
	m.label = m.pick("utf-8", "utf-8", "utf-8", "windows-1252", "windows-1251", "koi8-r", "iso-8859-2", "utf-16le", "utf-16be",
		"shift_jis", "euc-jp", "gbk", "gb18030", "big5", "euc-kr")
	m.letters = randomLetters[m.label]
	m.wrong = []int{0, 5, 30, 80}[m.rnd.IntN(4)]
	m.options()
	return m
}

func (m *randomTable) pick(from ...string) string { return from[m.rnd.IntN(len(from))] }

// options are those of a job that states everything, something or nothing.
func (m *randomTable) options() {
	m.opts = csv.Options{Stated: &csv.Stated{Comment: m.comment}, Mend: m.rnd.IntN(4) > 0, Rescue: m.rnd.IntN(2) == 0}
	m.opts.BadRows = []csv.BadRows{{}, {Count: 2}, {Count: 1 << 40}, {Percent: 30}, {Percent: 100}}[m.rnd.IntN(5)]
	s, is := m.opts.Stated, m.rnd.IntN(2) == 0
	if m.rnd.IntN(2) == 0 {
		s.Delimiter, s.Quote, s.Escape = &m.delim, &m.quote, &m.escape
		if m.columns == 1 && is {
			s.Delimiter = new("")
		}
		if m.quote == "" {
			s.Escape = nil
		}
	}
	if m.rnd.IntN(2) == 0 {
		s.Header = &is
	}
	if m.label != "utf-8" || m.rnd.IntN(2) == 0 {
		s.Encoding = m.label
	}
	if m.rnd.IntN(4) == 0 {
		m.opts.Null = []string{"NA", "1"}
	}
	if m.rnd.IntN(5) == 0 {
		m.opts.Limits = csv.Limits{Row: 60 + m.rnd.IntN(400), Field: 30 + m.rnd.IntN(200), Columns: m.columns + m.rnd.IntN(3)}
	}
}

func (m *randomTable) text(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if m.rnd.IntN(6) == 0 && strings.HasPrefix(m.label, "utf-") {
		b.WriteString("\ufeff")
	}
	if m.rnd.IntN(6) == 0 {
		b.WriteString("A title" + m.lineEnd() + m.lineEnd())
	}
	if m.rnd.IntN(3) > 0 {
		b.WriteString(strings.Join(strings.Split("id name born city", " ")[:m.columns], m.delim) + m.lineEnd())
	}
	rows := m.rnd.IntN(14)
	if m.rnd.IntN(8) == 0 {
		rows = 1100 + m.rnd.IntN(200) // for percentages
	}
	for range rows {
		m.row(&b)
	}
	text := b.String()
	if m.rnd.IntN(3) == 0 {
		text = strings.TrimRight(text, "\r\n")
	}
	return m.spoil(m.encode(t, text))
}

func (m *randomTable) lineEnd() string { return m.pick(m.lineEnds...) }

// row appends a row, or what lies between rows.
func (m *randomTable) row(b *strings.Builder) {
	var cells []string
	for range m.columns {
		cells = append(cells, m.cell())
	}
	if m.rnd.IntN(100) < m.wrong {
		switch m.rnd.IntN(10) {
		case 0:
			cells = cells[:m.rnd.IntN(len(cells)+1)]
		case 1:
			cells = append(cells, m.pick("", m.quote+m.quote), "")
		case 2:
			cells = append(cells, m.pick("", "x"), m.cell())
		case 3:
			b.WriteString(m.lineEnd())
		case 4:
			b.WriteString(m.pick("#", " #") + m.cell() + m.lineEnd())
		default:
			cells[m.rnd.IntN(len(cells))] = m.wrongCell()
		}
	}
	b.WriteString(strings.Join(cells, m.delim) + m.lineEnd())
}

func (m *randomTable) cell() string {
	letters := []rune(m.letters)
	word := m.pick("1", "17.5", "Ann", "2024-01-31", "some words", "", "NA", `\N`, string(letters[m.rnd.IntN(len(letters))]), m.letters)
	if m.rnd.IntN(400) == 0 {
		word = strings.Repeat(word+"x", 1<<uint(m.rnd.IntN(17)))
	}
	if m.quote == "" || m.rnd.IntN(2) == 0 {
		return word
	}
	double := m.quote + m.quote
	if m.escape != "" {
		double = m.escape + m.quote
	}
	return m.quote + word + m.pick("", "", "", m.delim, double, m.lineEnd(), "\t"+m.delim+double) + m.quote
}

// wrongCell is mostly one whose quotes are not as they should be.
func (m *randomTable) wrongCell() string {
	q := m.quote
	return m.pick(
		q+"x", "x"+q, q+"x"+q+"y"+q, q+"x"+q+"y", q+"x"+q+m.delim+"y"+q, q+q+q, q+"x"+q+q, " "+q+"x"+m.delim+"y"+q, q+"x"+q+" ",
		q+"x"+m.lineEnd()+q+"y"+q+m.lineEnd(), q+m.delim+q+q+"x", "x"+q+"y", "\x00", q+"a\x00b"+q, `\`+q, q+"x"+m.lineEnd()+"y",
		strings.Repeat("long ", 30), q+strings.Repeat("long"+m.lineEnd(), 30)+q,
	)
}

func (m *randomTable) encode(t *testing.T, text string) string {
	t.Helper()
	if m.label == "utf-8" {
		return text
	}
	if m.label != "utf-16le" && m.label != "utf-16be" {
		return in(m.label, text)
	}
	return utf16Text(text, m.label == "utf-16be")
}

// spoil puts bytes into a file, or for others, that are no characters in most encodings.
func (m *randomTable) spoil(text string) string {
	if m.wrong == 0 || m.rnd.IntN(3) > 0 || len(text) < 4 {
		return text
	}
	for range 1 + m.rnd.IntN(4) {
		at := m.rnd.IntN(len(text)/2) * 2
		bad := m.pick("\xFF", "\x81", "\x00\xDC", "\x00\xD8", "\xC3", "\xE2\x82", "\x8F\xA1", "\x810", "\x00")
		if strings.HasPrefix(m.label, "utf-16") && m.rnd.IntN(4) > 0 {
			bad = m.pick("\x00\xDC", "\xD8\x00", "\x00\xD8\x0A\x00", "\x00\x00")
		}
		text = text[:at] + bad + text[min(at+m.rnd.IntN(2)*2, len(text)):]
	}
	return text
}
