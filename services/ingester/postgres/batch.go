package postgres

// Batch is a run of records on their way into the database, encoded as the text format of COPY (PostgreSQL manual,
// COPY, "Text Format"). It is reused: [Batch.Reset] starts the next one.
type Batch struct {
	Start     int64 // byte offset in the source at which the batch begins: the end of the one before
	End       int64 // byte offset behind its last record
	FirstLine int64 // of its first record, from 1
	Rows      int64

	data []byte
}

// Append adds a record: one value per column, nil for NULL. It does not keep the values.
func (b *Batch) Append(values [][]byte) {
	for i, v := range values {
		if i > 0 {
			b.data = append(b.data, '\t')
		}
		if v == nil {
			b.data = append(b.data, '\\', 'N')
			continue
		}
		b.data = appendText(b.data, v)
	}
	b.data = append(b.data, '\n')
	b.Rows++
}

// Size is the length of the encoded records in bytes.
func (b *Batch) Size() int { return len(b.data) }

// Reset empties the batch, which then begins at byte offset start of the source.
func (b *Batch) Reset(start int64) {
	*b = Batch{Start: start, End: start, data: b.data[:0]}
}

// appendText appends a value with the characters escaped that mean something to COPY.
func appendText(to, v []byte) []byte {
	plain := 0
	for i, c := range v {
		e := escapes[c]
		if e == 0 {
			continue
		}
		to = append(append(to, v[plain:i]...), '\\', e)
		plain = i + 1
	}
	return append(to, v[plain:]...)
}

var escapes = [256]byte{'\\': '\\', '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f', '\v': 'v'}
