package ingester_test

import (
	"slices"
	"testing"
	"unicode/utf16"

	"sluice/internal/testenv"
	"sluice/pkg/events"
)

// coded is a text in UTF-16, the lower byte first or last.
func coded(text string, lowFirst bool) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if lowFirst {
			b = append(b, low, high)
		} else {
			b = append(b, high, low)
		}
	}
	return string(b)
}

// TestWhatServersSayOfText has files of the same rows, in encodings that their servers tell, rightly or wrongly, or do not.
func TestWhatServersSayOfText(t *testing.T) {
	t.Parallel()
	const text = "n,text\n1,Zürich and Łódź\n2,plain\n3,words of a row\n"
	const latin = "n,text\n1,Z\xfcrich and so on\n2,plain\n3,words of a row\n"
	for name, tt := range map[string]struct {
		content string
		label   string
		want    string
	}{
		"UTF-8, no label":             {text, "text/csv", "Zürich and Łódź"},
		"UTF-8 called UTF-16":         {text, "text/csv; charset=utf-16", "Zürich and Łódź"},
		"UTF-8 called Latin-1":        {text, "text/csv; charset=iso-8859-1", "Zürich and Łódź"},
		"UTF-8 called nonsense":       {text, "text/csv; charset=klingon", "Zürich and Łódź"},
		"UTF-16, mark, no label":      {coded("\ufeff"+text, true), "text/csv", "Zürich and Łódź"},
		"UTF-16BE, mark, no label":    {coded("\ufeff"+text, false), "", "Zürich and Łódź"},
		"UTF-16, mark, called UTF-8":  {coded("\ufeff"+text, true), "text/csv; charset=utf-8", "Zürich and Łódź"},
		"UTF-16BE, mark, called LE":   {coded("\ufeff"+text, false), "text/csv; charset=utf-16le", "Zürich and Łódź"},
		"UTF-16LE, label":             {coded(text, true), "text/csv; charset=UTF-16LE", "Zürich and Łódź"},
		"UTF-16BE, label":             {coded(text, false), `text/csv; charset="utf-16be"`, "Zürich and Łódź"},
		"UTF-16LE, no label":          {coded(text, true), "text/csv", "Zürich and Łódź"},
		"UTF-16BE, no label":          {coded(text, false), "text/csv", "Zürich and Łódź"},
		"UTF-16, mark, in a gzip":     {testenv.Gzip(t, coded("\ufeff"+text, true)), "application/gzip", "Zürich and Łódź"},
		"UTF-16LE, label, in members": {testenv.Gzip(t, coded(text[:20], true), coded(text[20:], true)), "text/csv; charset=utf-16le", "Zürich and Łódź"},
		"Latin-1, label":              {latin, "text/csv; charset=ISO-8859-1", "Zürich and so on"},
		"Latin-1, no label":           {latin, "text/csv", "Zürich and so on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.start("w1")
			job := e.submit(newJob(testenv.StartWeb(t).On("/file.csv", testenv.File(tt.content, "Content-Type: "+tt.label))))
			e.awaitOff()
			if end := e.await(job, events.TypeSucceeded); end.Data.(events.Succeeded).Result.Rows != 3 {
				t.Errorf("ended as %+v", end)
			}
			var got string
			if err := e.sql.QueryRow(e.ctx, `SELECT text FROM "`+job.Spec.Table+`" WHERE n = '1'`).Scan(&got); err != nil || got != tt.want {
				t.Errorf("loaded is %q, want %q (%v)", got, tt.want, err)
			}
		})
	}
}

// TestUnmarkedEndIsTold holds that users learn of a file whose end only the end of the connection marked, and of no other.
func TestUnmarkedEndIsTold(t *testing.T) {
	t.Parallel()
	head, tail := numbered(100)
	web := testenv.StartWeb(t)
	e := newEnv(t)
	e.start("w1")
	for name, answer := range map[string]testenv.Answer{
		"length":  testenv.File(head + tail),
		"chunked": {testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(head), testenv.Chunk(tail), testenv.Chunk("")},
		"closed":  {testenv.Head(200), testenv.Send(head + tail)},
	} {
		job := e.submit(newJob(web.On("/"+name+".csv", answer)))
		result := e.await(job, events.TypeSucceeded).Data.(events.Succeeded).Result
		unmarked := slices.ContainsFunc(result.Warnings, func(w events.Warning) bool { return w.Code == events.WarnLengthUnverified })
		if unmarked != (name == "closed") || result.Rows != 100 {
			t.Errorf("%s: the result is %+v", name, result)
		}
	}
}

// TestWebPageIsNoCSV holds that a page which comes with 200 ends the job at once, whatever it is called.
func TestWebPageIsNoCSV(t *testing.T) {
	t.Parallel()
	web := testenv.StartWeb(t)
	e := newEnv(t)
	e.start("w1")
	for _, label := range []string{"text/html; charset=utf-8", "text/csv"} {
		page := "<!DOCTYPE html>\n<html><title>Log in</title></html>\n"
		job := e.submit(newJob(web.On("/file.csv", testenv.File(page, "Content-Type: "+label))))
		if why := failure(e.await(job, events.TypeFailed)); why.Code != events.CodeNotCSV {
			t.Errorf("%s: failed with %+v", label, why)
		}
		e.expectHistory(job, "started failed")
	}
}
