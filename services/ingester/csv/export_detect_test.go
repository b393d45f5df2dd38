package csv

// Detection is what detect finds.
type Detection struct {
	Dialect
	Fields     int
	LineEnd    string
	Confidence float64
}

// Detect is detect.
func Detect(sample []byte, complete bool, stated Stated) Detection {
	d := detect(sample, complete, stated)
	return Detection{Dialect: d.Dialect, Fields: d.fields, LineEnd: d.lineEnd, Confidence: d.confidence}
}

// Validate checks a dialect as the reader does.
func (d Detection) Validate() error { return Options{Dialect: d.Dialect}.validate() }
