package csv

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"
)

// What a byte costs, in bits. The text of a language costs fewer bits in its own encoding than in any other.
const (
	costBad     = 25 // undecodable, or a control character
	costStrange = 12 // no letter or sign that text in the language has
	costForeign = 8  // a letter that names from abroad have
	costCapital = 1  // the first of several capitals
	costCase    = 6  // a capital behind a small letter, or the other way round
	costRun     = 4  // a letter beyond ASCII beside another one, in a language that mostly uses ASCII
	costAlone   = 3  // a letter without another one beside it
	costMixed   = 8  // a letter beside one of ASCII, in a language that does not use ASCII
	costBetween = 6  // a sign between letters

	costNarrow  = 5 // a kana of half a width
	creditASCII = 4 // for what ASCII would have cost where it is half of a character

	plausible = 9.0 // bits a byte that some text costs at most if the guess is right
)

// These are FNV-1a's.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

// guess is what a sample costs in an encoding.
type guess struct {
	cs   charset
	cost float64
	same uint64 // tells apart what the sample reads like
}

// guessCharset finds the encoding in which a sample is most likely text. It returns windows-1252, and is not sure at
// all, when there is none.
func guessCharset(sample []byte, complete bool) (charset, float64) {
	if rest := telling(sample); len(rest) > tellingSize {
		sample, complete = rest[:tellingSize], false
	}
	var guesses []guess
	present := countBytes(sample)
	for _, c := range singleByteChoices() {
		cs, _ := findCharset(c.name)
		if t, ok := cs.codec.(*singleByte); ok {
			guesses = append(guesses, guess{cs, c.prior + t.cost(sample, present, c.tongues), t.reading(present)})
		}
	}
	for _, c := range multiByteChoices() {
		cs, _ := findCharset(c.name)
		if m, ok := cs.codec.(*multiByteCodec); ok {
			cost, reading := m.cost(sample, complete, c)
			guesses = append(guesses, guess{cs, c.prior + cost, reading})
		}
	}
	best := guesses[0]
	for _, g := range guesses[1:] {
		if g.cost < best.cost {
			best = g
		}
	}
	margin := math.Inf(1)
	for _, g := range guesses {
		if g.same != best.same {
			margin = min(margin, g.cost-best.cost)
		}
	}
	sure := 1 - math.Exp2(-margin/4)/2
	if best.cost > plausible*float64(present.beyondASCII()) {
		return guesses[0].cs, 0.1
	}
	return best.cs, min(math.Round(sure*100)/100, 0.95)
}

// tellingSize is how much of a sample is weighed, in bytes: more takes time and changes little.
const tellingSize = 8 << 10

// telling is a sample from the first line on that is not ASCII.
func telling(sample []byte) []byte {
	for i, c := range sample {
		if c >= utf8.RuneSelf {
			return sample[bytes.LastIndexByte(sample[:i], '\n')+1:]
		}
	}
	return nil
}

// byteCount counts a sample's bytes by value.
type byteCount [256]int

func countBytes(sample []byte) *byteCount {
	n := new(byteCount)
	for _, c := range sample {
		n[c]++
	}
	return n
}

func (n *byteCount) beyondASCII() int {
	sum := 0
	for _, count := range n[utf8.RuneSelf:] {
		sum += count
	}
	return sum
}

// reading tells apart what the bytes that are present read like in different encodings.
func (t *singleByte) reading(present *byteCount) uint64 {
	hash := uint64(hashStart)
	for c, n := range present {
		if n > 0 {
			hash = (hash ^ uint64(t[c])) * hashPrime
		}
	}
	return hash
}

// cost is what a sample costs in the cheapest of the tongues.
func (t *singleByte) cost(sample []byte, present *byteCount, tongues []tongue) float64 {
	inLatin, inOther := t.surroundings(sample)
	cheapest := math.Inf(1)
	for _, tongue := range tongues {
		cost := inOther
		if tongue.latin {
			cost = inLatin
		}
		letters := tongue.costs()
		for c := utf8.RuneSelf; c < len(present); c++ {
			if n := present[c]; n > 0 {
				cost += float64(n) * letters.of(t.rune(byte(c)))
			}
		}
		cheapest = min(cheapest, cost)
	}
	return cheapest
}

// letterCosts are what small letters cost.
type letterCosts map[rune]float64

func (t tongue) costs() letterCosts {
	letters := []rune(t.letters)
	total := 0.0
	for i := range letters {
		total += 1 / float64(i+1)
	}
	costs := make(letterCosts, len(letters))
	for i, r := range letters {
		costs[r] = math.Log2(total * float64(i+1)) // Zipf's law
	}
	return costs
}

func (l letterCosts) of(r rune) float64 {
	if r < 0xA0 { // a control character, or nothing
		return costBad
	}
	if cost, ok := l[r]; ok {
		return cost
	}
	if small := unicode.ToLower(r); small != r {
		return l.of(small)
	}
	switch r {
	case '\u2019':
		return 3
	case '\u00A0', '\u2013', '\u20AC', '\u00B0':
		return 5
	case '\u201C', '\u201D', '\u2018', '\u201E', '\u00AB', '\u00BB', '\u2014', '\u2026', '\u00A3', '\u00A7', '\u00B2', '\u2116':
		return 6
	case '\u2022', '\u00AE', '\u2122', '\u00A9', '\u00BD', '\u00B3', '\u00B5', '\u00B7', '\u00B1', '\u00BF', '\u00A1', '\u00BC', '\u00D7':
		return costForeign
	case 'é', 'è', 'ü', 'ö', 'ä', 'á', 'ó', 'í', 'ñ', 'ç', 'à', 'ã', 'ô', 'ø', 'å':
		return costForeign
	}
	return costStrange
}

// place is what a character is to those beside it.
type place int

const (
	placeNone place = iota
	placeSmall
	placeCapital
	placeLetter // without a case
	placeSign
	placeJoint // a sign that may be between letters
)

func (p place) isLetter() bool { return p == placeSmall || p == placeCapital || p == placeLetter }

func placeOf(r rune) place {
	switch {
	case r < 0:
		return placeNone
	case unicode.IsLower(r):
		return placeSmall
	case unicode.IsUpper(r):
		return placeCapital
	case unicode.IsLetter(r) && r != 'ª' && r != 'º' || unicode.IsMark(r):
		return placeLetter
	case r == '\u2019' || r == '\u00B7' || r == '\u00A0':
		return placeJoint
	case r > utf8.RuneSelf:
		return placeSign
	}
	return placeNone
}

// surroundings is what the characters cost where they stand, in a language that mostly uses ASCII and in one that does
// not.
func (t *singleByte) surroundings(sample []byte) (latin, other float64) {
	var places [256]place
	for c := range places {
		places[c] = placeOf(t.rune(byte(c)))
	}
	at := func(i int) (place, bool) {
		if i < 0 || i >= len(sample) {
			return placeNone, false
		}
		return places[sample[i]], sample[i] < utf8.RuneSelf
	}
	for i, c := range sample {
		if c < utf8.RuneSelf {
			continue
		}
		before, beforeASCII := at(i - 1)
		after, afterASCII := at(i + 1)
		here := places[c]
		if here == placeSign && before.isLetter() && after.isLetter() {
			latin += costBetween
			other += costBetween
		}
		if !here.isLetter() {
			continue
		}
		cost := 0.0
		if here == placeCapital && before == placeSmall || here == placeSmall && before == placeCapital && after == placeCapital {
			cost += costCase
		}
		if !before.isLetter() && !after.isLetter() {
			cost += costAlone
		}
		if here == placeCapital && before != placeCapital {
			cost += costCapital
		}
		latin += cost
		other += cost
		if before.isLetter() && !beforeASCII {
			latin += costRun
		}
		if before.isLetter() && beforeASCII || after.isLetter() && afterASCII {
			other += costMixed
		}
	}
	return latin, other
}

// cost is what a sample costs, with a hash of what it reads like.
func (m *multiByteCodec) cost(sample []byte, complete bool, c multiByteChoice) (cost float64, reading uint64) {
	ranks := make(map[rune]int, utf8.RuneCountInString(c.frequent))
	for _, r := range c.frequent {
		if _, ok := ranks[r]; !ok {
			ranks[r] = len(ranks)
		}
	}
	reading = hashStart
	for i := 0; i < len(sample); {
		if sample[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := m.next(sample[i:], complete)
		if r == cutOff {
			break
		}
		reading = (reading ^ uint64(r)) * hashPrime //nolint:gosec // any number will do
		switch rank, ok := ranks[r]; {
		case r == noRune:
			cost += costBad * float64(size)
		case ok:
			cost += 6.5 + float64(rank)/150
		case c.kana && isNarrow(r):
			cost += costNarrow + m.lonely(sample, i)
		default:
			cost += c.of(r, sample[i:i+size])
		}
		if size > 1 && r != noRune && sample[i+1] < utf8.RuneSelf {
			cost -= creditASCII
		}
		i += size
	}
	return cost, reading
}

// of is what a character costs that is not frequent.
func (c multiByteChoice) of(r rune, char []byte) float64 {
	level1 := char[0] >= c.level1[0] && char[0] <= c.level1[1] && (!c.high || char[len(char)-1] > 0xA0)
	switch {
	case r >= 0x3000 && r <= 0x3011 || r == '・' || r >= 0xFF01 && r <= 0xFF20: // punctuation and digits, wide
		return 7
	case r >= 0x3041 && r <= 0x30FE: // kana
		return c.either(c.kana, 5, 15)
	case r >= 0xAC00 && r <= 0xD7A3:
		return c.either(level1, 10.5, 17)
	case unicode.Is(unicode.Han, r) && c.hangul:
		return 16
	case unicode.Is(unicode.Han, r):
		return c.either(level1, 11.5, 16)
	case unicode.IsLetter(r) || r < 0xA0 || r >= 0xE000 && r <= 0xF8FF:
		return 18
	}
	return 13
}

// isNarrow reports kana of half a width, which are a byte each in Shift_JIS.
func isNarrow(r rune) bool { return r >= 0xFF66 && r <= 0xFF9F }

// lonely is what a character of one byte costs that has no other one beside it.
func (m *multiByteCodec) lonely(sample []byte, i int) float64 {
	if m.singles[sample[i]] == 0 || i > 0 && m.singles[sample[i-1]] != 0 || i+1 < len(sample) && m.singles[sample[i+1]] != 0 {
		return 0
	}
	return 5
}

func (c multiByteChoice) either(usual bool, cost, otherwise float64) float64 {
	if usual {
		return cost
	}
	return otherwise
}
