package csv

// ReadRow is ReadRows for one row, be it rejected or not, that is not skimmed.
func (r *Reader) ReadRow(rows *Rows) error {
	if _, err := r.Columns(); err != nil {
		return err
	}
	*rows = Rows{}
	rows.begin(r)
	r.scanRow(rows)
	return r.err
}
