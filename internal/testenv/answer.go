package testenv

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Answer is what a [Web] does for a request, step by step.
type Answer []Step

// Step is one thing that it does. An error ends the answer.
type Step func(c *Call) error

// Do is a step that does all of the answer's.
func (a Answer) Do(c *Call) error {
	for _, step := range a {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

// File is a whole file with its length, and header fields such as "Content-Type: text/csv".
func File(content string, fields ...string) Answer {
	return Answer{Head(http.StatusOK, append([]string{date(), fmt.Sprint("Content-Length: ", len(content))}, fields...)...), Send(content)}
}

// Ranged is a file as Go's own server gives it: whole, or the part that was asked for. The fields hold an ETag or a
// Last-Modified.
func Ranged(content string, fields ...string) Answer {
	return Answer{func(c *Call) error {
		recorder := httptest.NewRecorder()
		for _, field := range append(fields, date()) {
			name, value, _ := strings.Cut(field, ": ")
			recorder.Header().Add(name, value)
		}
		modified, _ := http.ParseTime(recorder.Header().Get("Last-Modified"))
		http.ServeContent(recorder, c.Request, "file.csv", modified, strings.NewReader(content))
		return recorder.Result().Write(c)
	}}
}

// Status is an answer without a body.
func Status(code int, fields ...string) Answer {
	return Answer{Head(code, append([]string{date(), "Content-Length: 0"}, fields...)...)}
}

// Redirect is an answer that sends the client elsewhere.
func Redirect(code int, location string) Answer { return Status(code, "Location: "+location) }

func date() string { return "Date: " + time.Now().UTC().Format(http.TimeFormat) }

// Head sends a status and header fields, and nothing of its own accord: without a length or a coding, the body ends
// where the connection does.
func Head(code int, fields ...string) Step {
	var text strings.Builder
	fmt.Fprintf(&text, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	for _, field := range fields {
		text.WriteString(field + "\r\n")
	}
	return Send(text.String() + "\r\n")
}

// Send sends a text as it is.
func Send(text string) Step {
	return func(c *Call) error {
		_, err := io.WriteString(c, text)
		return err
	}
}

// Chunk sends a text as a chunk of a body; the empty one ends it.
func Chunk(text string) Step { return Send(fmt.Sprintf("%x\r\n%s\r\n", len(text), text)) }

// Endless sends a text over and over until the client leaves.
func Endless(text string) Step {
	text = strings.Repeat(text, 1+(16<<10)/len(text))
	return func(c *Call) error {
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return err
			}
		}
	}
}

// Trickle sends a text over and over with a pause after each, until the client leaves.
func Trickle(text string, pause time.Duration) Step {
	return func(c *Call) error {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return err
			}
			select {
			case <-tick.C:
			case <-c.left:
				return errLeft
			}
		}
	}
}

// Await goes on when open is closed or holds something.
func Await(open <-chan struct{}) Step {
	return func(c *Call) error {
		select {
		case <-open:
			return nil
		case <-c.left:
			return errLeft
		}
	}
}

// Relay sends what comes on a channel as chunks, until that is closed and the body ends.
func Relay(texts <-chan string) Step {
	return func(c *Call) error {
		for {
			select {
			case text, more := <-texts:
				if !more {
					return Chunk("")(c)
				}
				if err := Chunk(text)(c); err != nil {
					return err
				}
			case <-c.left:
				return errLeft
			}
		}
	}
}

// Hang does nothing until the client leaves.
func Hang(c *Call) error {
	<-c.left
	return errLeft
}

// Reset breaks the connection, so that the client may not even get what was sent before.
func Reset(c *Call) error { return c.reset() }
