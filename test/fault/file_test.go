package fault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
)

// file is a CSV file of known content. Its rows are numbered, so that a table can be brought into their order again.
type file struct {
	content  []byte
	rows     int64
	checksum string // of the content, as results tell it
	table    string // checksum of the rows in order, as COPY writes them
}

const header = "n,name,note,amount"

// makeFile makes a file of about so many bytes.
func makeFile(random *rand.Rand, size int) *file {
	f, table := new(file), sha256.New()
	end := []string{"\n", "\r\n"}[random.IntN(2)]
	out := bytes.NewBuffer(make([]byte, 0, size+4096))
	out.WriteString(header + end)
	var row []byte
	for out.Len() < size {
		row = append(strconv.AppendInt(row[:0], f.rows, 10), '\t')
		out.WriteString(strconv.FormatInt(f.rows, 10) + ",")
		name, amount := "name"+strconv.Itoa(random.IntN(1000)), strconv.Itoa(random.IntN(100_000))
		note, isNull := noteOf(random)
		out.WriteString(name + ",")
		if !isNull {
			out.WriteString(`"` + strings.ReplaceAll(note, `"`, `""`) + `"`)
			note = copied.Replace(note)
		}
		out.WriteString("," + amount + end)
		row = append(row, name+"\t"+note+"\t"+amount+"\n"...)
		_, _ = table.Write(row) // never fails
		f.rows++
	}
	f.content = out.Bytes()
	if random.IntN(2) == 0 {
		f.content = bytes.TrimSuffix(f.content, []byte(end)) // the last line may have no end
	}
	sum := sha256.Sum256(f.content)
	f.checksum = "sha256:" + hex.EncodeToString(sum[:])
	f.table = hex.EncodeToString(table.Sum(nil))
	return f
}

// copied writes a value as COPY TO does in its text format.
var copied = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// noteOf is a text with what is hard to read in it, or NULL.
func noteOf(random *rand.Rand) (note string, isNull bool) {
	switch random.IntN(12) {
	case 0:
		return `\N`, true
	case 1:
		return "", false
	}
	pieces := []string{
		"plain ", "words, ", `"quoted"`, `""`, "\n", "\r\n", "\r", ",", ";", "\t", `\`, `\.`, "\n\\.\n", "Füße ", "日本語", "'", " ", "0", "1,5",
		strings.Repeat("x", 300),
	}
	var b strings.Builder
	for range 1 + random.IntN(8) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String(), false
}
