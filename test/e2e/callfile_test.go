package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// callFile is a file of calls in the format of VS Code's REST Client.
type callFile struct {
	variables map[string]string
	calls     []call
}

// call is one request of a file.
type call struct {
	line    int
	name    string // for others to refer to its answer; "" if nobody does
	answers []int  // the statuses that are expected
	method  string
	target  string
	header  [][2]string
	body    string
}

// readCalls reads a file. It knows of the format what the files of this project use, and refuses the rest.
func readCalls(path string) (callFile, error) {
	file := callFile{variables: map[string]string{}}
	f, err := os.Open(path)
	if err != nil {
		return file, err
	}
	defer func() { _ = f.Close() }()
	lines, at := bufio.NewScanner(f), 0
	var block []string
	take := func() error {
		c, err := readCall(block, at-len(block), file.variables)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if block = block[:0]; c.method != "" {
			file.calls = append(file.calls, c)
		}
		return nil
	}
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "###") {
			if err := take(); err != nil {
				return file, err
			}
		}
		block, at = append(block, lines.Text()), at+1
	}
	return file, take()
}

var (
	variableLine = regexp.MustCompile(`^@(\w+) = (.+)$`)
	requestLine  = regexp.MustCompile(`^(GET|POST|DELETE) (\S+)$`)
	headerLine   = regexp.MustCompile(`^([\w-]+): (.+)$`)
)

// readCall reads what lies between two lines with ###. The lines of the file before it are so many.
func readCall(block []string, before int, variables map[string]string) (c call, err error) {
	for n, line := range block {
		switch found := variableLine.FindStringSubmatch(line); {
		case c.method != "":
			return c, c.readRest(block[n:], before+n)
		case found != nil:
			variables[found[1]] = found[2]
		case strings.HasPrefix(line, "# @name "):
			c.name = strings.TrimPrefix(line, "# @name ")
		case strings.HasPrefix(line, "# answers "):
			for status := range strings.SplitSeq(strings.TrimPrefix(line, "# answers "), " or ") {
				code, err := strconv.Atoi(status)
				if err != nil {
					return c, fmt.Errorf("line %d: %w", before+n+1, err)
				}
				c.answers = append(c.answers, code)
			}
		case strings.HasPrefix(line, "#") || line == "":
		default:
			request := requestLine.FindStringSubmatch(line)
			if request == nil {
				return c, fmt.Errorf("line %d is no request: %q", before+n+1, line)
			}
			c.line, c.method, c.target = before+n+1, request[1], request[2]
		}
	}
	return c, nil
}

// readRest reads what follows the first line of a request.
func (c *call) readRest(block []string, before int) error {
	for n, line := range block {
		header := headerLine.FindStringSubmatch(line)
		switch {
		case line == "":
			c.body = strings.TrimRight(strings.Join(block[n+1:], "\n"), "\n")
			return nil
		case strings.HasPrefix(line, "    ?") || strings.HasPrefix(line, "    &"):
			c.target += strings.TrimSpace(line)
		case header != nil:
			c.header = append(c.header, [2]string{header[1], header[2]})
		default:
			return fmt.Errorf("line %d is neither a header nor part of an address: %q", before+n+1, line)
		}
	}
	return nil
}

// sent are the answers to the calls that have a name.
type sent map[string]answer

var reference = regexp.MustCompile(`\{\{([^}]+)\}\}`)

// resolve puts values in the place of what a text refers to.
func (f callFile) resolve(text string, answers sent) (resolved string, err error) {
	resolved = reference.ReplaceAllStringFunc(text, func(r string) string {
		name := strings.Trim(r, "{}")
		value, lookErr := f.lookUp(name, answers)
		if lookErr != nil {
			err = fmt.Errorf("%s: %w", name, lookErr)
		}
		return value
	})
	return resolved, err
}

func (f callFile) lookUp(name string, answers sent) (string, error) {
	if value, ok := f.variables[name]; ok {
		return f.resolve(value, answers)
	}
	if name == "$guid" {
		return uuid.NewString(), nil
	}
	of, part, _ := strings.Cut(name, ".response.")
	a, ok := answers[of]
	if !ok {
		return "", fmt.Errorf("nothing of that name was answered")
	}
	if header, ok := strings.CutPrefix(part, "headers."); ok {
		return a.header.Get(header), nil
	}
	field, ok := strings.CutPrefix(part, "body.$.")
	var fields map[string]any
	if err := json.Unmarshal(a.body, &fields); !ok || err != nil || fields[field] == nil {
		return "", fmt.Errorf("the answer has no such part: %s", a.body)
	}
	return fmt.Sprint(fields[field]), nil
}

// request is the call as it is sent.
func (f callFile) request(c call, answers sent) (*http.Request, error) {
	target, err := f.resolve(c.target, answers)
	if err != nil {
		return nil, err
	}
	body, err := f.resolve(c.body, answers)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(c.method, target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, h := range c.header {
		value, err := f.resolve(h[1], answers)
		if err != nil {
			return nil, err
		}
		r.Header.Add(h[0], value)
	}
	return r, nil
}

// read takes an answer in, and of one that has no end its beginning.
func (c call) read(response *http.Response) (answer, error) {
	a := answer{status: response.StatusCode, header: response.Header}
	if !slices.Contains(c.answers, a.status) {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		return a, fmt.Errorf("answered %s: %s", response.Status, text)
	}
	if strings.HasSuffix(c.target, "/v1/events") {
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err == nil && line == "" {
			err = io.ErrUnexpectedEOF
		}
		return a, err
	}
	var err error
	a.body, err = io.ReadAll(response.Body)
	return a, err
}
