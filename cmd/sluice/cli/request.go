package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// request is a job's request, from flags and a body.
type request struct {
	source  source
	reading reading

	body        string // a file
	fields      map[string]*string
	key         []string
	types       string
	columns     []string
	maxBadRows  string
	labels      []string
	lineage     bool
	ordered     bool
	unchanged   bool
	idempotency string
}

func (r *request) flags(f *pflag.FlagSet) {
	r.fields = map[string]*string{
		"table":        f.String("table", "", "the table's name, or SCHEMA.TABLE; without it one is made up from the file's name and the time"),
		"schema":       f.String("schema", "public", "the table's schema; --table may have a dot then"),
		"mode":         f.String("mode", "create", "create, replace, append or upsert"),
		"priority":     f.String("priority", "normal", "urgent or normal"),
		"extra_fields": f.String("extra-fields", "rescue", "what becomes of fields beyond the columns: rescue or reject"),
	}
	f.StringSliceVar(&r.key, "key", nil, "with --mode upsert: the columns that tell the rows apart")
	f.StringVar(&r.types, "types", "", "what types columns get of which none is stated: text, or infer")
	f.StringArrayVar(&r.columns, "column", nil, `the type of a column, such as "fare=numeric(10,2)"; may be given again`)
	f.StringVar(&r.maxBadRows, "max-bad-rows", "0", "how many bad rows may be left out: a number, or such as 2.5%")
	f.StringArrayVar(&r.labels, "label", nil, "a note about the job, such as team=billing; may be given again")
	f.BoolVar(&r.lineage, "lineage", false, "tell of each row its line in the file, its job and when it was loaded, in columns of their own")
	f.BoolVar(&r.ordered, "ordered", false, "write the rows in the file's order, which takes longer")
	f.BoolVar(&r.unchanged, "skip-unchanged", false, "load nothing if the table holds what the file still is")
	f.StringVar(&r.idempotency, "idempotency-key", "", "a name for this request: given again, it makes no second job")
	f.StringVar(&r.body, "request", "", "a file with a request's JSON, or - for standard input; flags go before it")
	r.source.flags(f)
	r.reading.flags(f)
}

// build returns the fields of the request but for its source.
func (r *request) build(cmd *cobra.Command) (map[string]any, error) {
	fields, err := r.start(cmd)
	if err != nil {
		return nil, err
	}
	given := cmd.Flags().Changed
	for field, value := range r.fields {
		if given(strings.ReplaceAll(field, "_", "-")) {
			fields[field] = *value
		}
	}
	if given("table") {
		schema, table := tableNamed(cmd, *r.fields["schema"], *r.fields["table"])
		if fields["table"] = table; table != *r.fields["table"] {
			fields["schema"] = schema
		}
	}
	if given("key") {
		fields["key"] = r.key
	}
	if given("lineage") {
		fields["lineage"] = r.lineage
	}
	if given("ordered") {
		fields["ordered"] = r.ordered
	}
	if given("skip-unchanged") {
		fields["skip_unchanged"] = r.unchanged
	}
	if given("max-bad-rows") {
		fields["max_bad_rows"] = r.maxBadRows
		if n, err := strconv.ParseInt(r.maxBadRows, 10, 64); err == nil {
			fields["max_bad_rows"] = n
		}
	}
	if err := r.typesInto(fields, cmd); err != nil {
		return nil, err
	}
	if given("label") {
		labels, err := pairs(cmd, "label", r.labels)
		if err != nil {
			return nil, err
		}
		fields["labels"] = labels
	}
	return fields, r.reading.into(fields, cmd)
}

// start returns the fields of the body that was given, if any.
func (r *request) start(cmd *cobra.Command) (map[string]any, error) {
	if r.body == "" {
		return map[string]any{}, nil
	}
	file, _, err := openFile(cmd, r.body)
	if err != nil {
		return nil, fmt.Errorf("reading --request: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("reading --request: %w", err)
	}
	body := json.NewDecoder(bytes.NewReader(text))
	body.UseNumber()
	var fields map[string]any
	if err := body.Decode(&fields); err != nil || fields == nil {
		return nil, errors.Join(errors.New("--request must be a JSON object"), err)
	}
	if _, err := body.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("--request must be one JSON object, and has something behind it")
	}
	return fields, nil
}

func (r *request) typesInto(fields map[string]any, cmd *cobra.Command) error {
	switch {
	case len(r.columns) == 0 && r.types == "":
		return nil
	case len(r.columns) == 0:
		fields["types"] = r.types
		return nil
	}
	types, err := pairs(cmd, "column", r.columns)
	if err != nil {
		return err
	}
	if r.types != "" {
		types["*"] = r.types
	}
	fields["types"] = types
	return nil
}

// pairs reads values in the form name=value.
func pairs(cmd *cobra.Command, flag string, given []string) (map[string]string, error) {
	read := map[string]string{}
	for _, pair := range given {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, Wrong(cmd, "--%s must be name=value, not %q", flag, pair)
		}
		read[name] = value
	}
	return read, nil
}
