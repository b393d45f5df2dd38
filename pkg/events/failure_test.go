package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/pkg/events"
)

func TestFailf(t *testing.T) {
	cause := &fs.PathError{Op: "read", Path: "trips.csv", Err: io.ErrUnexpectedEOF}
	f := events.Failf(events.CodeSourceTruncated, "broke off after %d bytes (%w)", 7, cause)
	want := events.Failure{
		Code: "source_truncated", Message: "broke off after 7 bytes (read trips.csv: unexpected EOF)", Retryable: true,
	}
	if f.Code != want.Code || f.Message != want.Message || f.Retryable != want.Retryable {
		t.Errorf("failure is %+v, want %+v", *f, want)
	}
	if f.Error() != "source_truncated: "+want.Message {
		t.Errorf("error reads %q", f)
	}
	if f.Line != 0 || f.Column != 0 || f.ByteOffset != nil {
		t.Errorf("a place was made up: %+v", *f)
	}
	wrapped := fmt.Errorf("reading the source: %w", f)
	var failure *events.Failure
	if !errors.As(wrapped, &failure) || failure != f {
		t.Error("the failure is not found in an error that wraps it")
	}
	var path *fs.PathError
	if !errors.As(wrapped, &path) || path != cause || !errors.Is(wrapped, io.ErrUnexpectedEOF) {
		t.Error("the cause is not found")
	}
}

func TestFailfWithoutCause(t *testing.T) {
	if f := events.Failf(events.CodeNotCSV, "%v", io.EOF); errors.Is(f, io.EOF) || f.Unwrap() != nil {
		t.Error("a cause without %w")
	}
}

func TestAtPlace(t *testing.T) {
	f := events.Failf(events.CodeNULByte, "a NUL byte")
	if f.AtPlace(3, 2, 0) != f {
		t.Fatal("AtPlace returned another failure")
	}
	want := `{"code":"nul_byte","message":"a NUL byte","retryable":false,"line":3,"column":2,"byte_offset":0}`
	if got := string(encode(t, f)); got != want {
		t.Errorf("encoded as %s, want %s", got, want)
	}
}

func TestFailureJSON(t *testing.T) {
	f := events.Failf(events.CodeStorageFull, "the disk is full (%w)", io.ErrShortWrite)
	data := encode(t, f)
	if strings.Contains(string(data), "line") || strings.Contains(string(data), "byte_offset") {
		t.Errorf("a place that is not one is encoded: %s", data)
	}
	var back events.Failure
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Unwrap() != nil {
		t.Error("the cause came through JSON")
	}
	if want := (events.Failure{Code: f.Code, Message: f.Message, Retryable: true}); !reflect.DeepEqual(back, want) {
		t.Errorf("came back as %+v, want %+v", back, want)
	}
}

func TestCodes(t *testing.T) {
	seen := map[events.Code]bool{}
	for _, code := range events.Codes() {
		if seen[code] {
			t.Errorf("%s is listed twice", code)
		}
		seen[code] = true
		if code.Title() == "" {
			t.Errorf("%s has no title", code)
		}
		if f := events.Failf(code, "x"); f.Retryable != code.Retryable() {
			t.Errorf("%s: the failure is retryable: %t", code, f.Retryable)
		}
	}
	if !seen[events.CodeInternal] || !seen[events.CodeAttemptsExhausted] {
		t.Error("codes are missing in the list")
	}
	if unknown := events.Code("bad_luck"); unknown.Retryable() || unknown.Title() != "" {
		t.Error("an unknown code is retryable or has a title")
	}
}

func TestFailfBoundsTheMessage(t *testing.T) {
	f := events.Failf(events.CodeInternal, "%s", strings.Repeat("é", 1<<20))
	if len(f.Message) > 5<<10 || !utf8.ValidString(f.Message) {
		t.Errorf("%d bytes, valid UTF-8: %v", len(f.Message), utf8.ValidString(f.Message))
	}
}
