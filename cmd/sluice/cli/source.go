package cli

import (
	"fmt"
	"net/textproto"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// standardInput is the argument that stands for it.
const standardInput = "-"

// uploaded begins what names a file that was uploaded before.
const uploaded = "upload:"

// isLocal reports whether an argument names a file of this machine, or standard input.
func isLocal(argument string) bool {
	return !strings.HasPrefix(argument, uploaded) && !strings.Contains(argument, "://")
}

// source says where a file is, for a request's fields.
type source struct {
	headers []string
	member  string
	name    string
}

func (s *source) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.headers, "header-field", nil,
		`a header field to ask the URL with, such as "Accept: text/csv"; @FILE reads a field from each line, as secrets should be`)
	f.StringVar(&s.member, "member", "", "the file to take of a zip archive")
	f.StringVar(&s.name, "filename", "", "what an uploaded file is called, which gives the table its name if none is said")
}

// into puts the source that an argument names into the fields of a request, but for a file of this machine.
func (s *source) into(fields map[string]any, cmd *cobra.Command, argument string) error {
	if s.member != "" {
		fields["member"] = s.member
	}
	if len(s.headers) > 0 {
		headers, err := headerFields(cmd, s.headers)
		if err != nil {
			return err
		}
		fields["headers"] = headers
	}
	delete(fields, "url") // of a body: the argument stands in its place
	delete(fields, "upload")
	switch {
	case strings.HasPrefix(argument, uploaded):
		fields["upload"] = argument
	case !isLocal(argument):
		fields["url"] = argument
	}
	return nil
}

// headerFields reads fields in the form "Name: value", and files of them.
func headerFields(cmd *cobra.Command, given []string) (map[string]string, error) {
	headers := map[string]string{}
	for _, field := range given {
		lines := []string{field}
		if file, ok := strings.CutPrefix(field, "@"); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading --header-field: %w", err)
			}
			lines = strings.Split(strings.TrimSpace(string(text)), "\n")
		}
		for _, line := range lines {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
			if !ok || name == "" {
				return nil, Wrong(cmd, `--header-field must be "Name: value"`) // it may be a secret, and is not repeated
			}
			headers[textproto.TrimString(name)] = textproto.TrimString(value)
		}
	}
	return headers, nil
}
