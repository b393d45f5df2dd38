package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reading says how a file is written, for a request's fields. What is not said is detected.
type reading struct {
	text             map[string]*string // of csv, by their names
	numbers          map[string]*int
	header, noHeader bool
	allowHTML        bool
	null             []string
	columnNames      string
	flagsOf          map[string]string // the flag of a field
}

func (r *reading) flags(f *pflag.FlagSet) {
	r.text, r.numbers, r.flagsOf = map[string]*string{}, map[string]*int{}, map[string]string{}
	for _, o := range []struct{ flag, field, usage string }{
		{"encoding", "encoding", "such as utf-8 or windows-1252"},
		{"delimiter", "delimiter", "what separates fields"},
		{"quote", "quote", "what encloses fields; empty: nothing"},
		{"escape", "escape", "what makes a quote part of a field, besides doubling it"},
		{"comment", "comment", "lines that start with this are skipped"},
	} {
		r.text[o.field], r.flagsOf[o.field] = f.String(o.flag, "", o.usage), o.flag
	}
	r.numbers["skip_rows"], r.flagsOf["skip_rows"] = f.Int("skip-rows", 0, "how many lines stand above the header"), "skip-rows"
	r.numbers["header_rows"], r.flagsOf["header_rows"] = f.Int("header-rows", 1, "how many rows name the columns"), "header-rows"
	f.BoolVar(&r.header, "header", false, "the first row names the columns")
	f.BoolVar(&r.noHeader, "no-header", false, "the first row is data already")
	f.BoolVar(&r.allowHTML, "allow-html", false, "read the file although it starts like a web page")
	f.StringArrayVar(&r.null, "null", nil, "what stands for NULL, instead of the empty field; may be given again")
	f.StringVar(&r.columnNames, "column-names", "", "original, or snake for lower snake case")
}

// into puts what was said into the fields of a request.
func (r *reading) into(fields map[string]any, cmd *cobra.Command) error {
	csv, _ := fields["csv"].(map[string]any)
	if csv == nil {
		csv = map[string]any{}
	}
	given := cmd.Flags().Changed
	for field, value := range r.text {
		if given(r.flagsOf[field]) {
			csv[field] = *value
		}
	}
	for field, value := range r.numbers {
		if given(r.flagsOf[field]) {
			csv[field] = *value
		}
	}
	switch {
	case given("header") && given("no-header"):
		return Wrong(cmd, "--header and --no-header exclude each other")
	case given("header"):
		csv["header"] = r.header
	case given("no-header"):
		csv["header"] = !r.noHeader
	}
	if given("allow-html") {
		csv["allow_html"] = r.allowHTML
	}
	if len(csv) > 0 {
		fields["csv"] = csv
	}
	if given("null") {
		fields["null"] = r.null
	}
	if given("column-names") {
		fields["column_names"] = r.columnNames
	}
	return nil
}
