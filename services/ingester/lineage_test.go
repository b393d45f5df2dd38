package ingester_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testenv"
	"sluice/pkg/events"
	"sluice/services/ingester"
)

func withLineage(s *events.Spec) { s.Lineage = true }

// threeAtOnce loads over several connections, in small batches.
func threeAtOnce(c *ingester.Config, _ *ingester.Parts) { c.Connections = 3 }

// lined is a file of which it is known in which lines its rows lie.
type lined struct {
	text        strings.Builder
	line        int      // of what comes next
	rows        []string // each its number and its line
	rejects     []string // lines
	lineEnds    []string
	unfit       bool // whether rows with a number that is none are bad
	number, end int
}

// add writes what ends with a line end, or runs over several lines, each of which ends with "~".
func (f *lined) add(text string) {
	for strings.Contains(text, "~") {
		text = strings.Replace(text, "~", f.lineEnds[f.end%len(f.lineEnds)], 1)
		f.end, f.line = f.end+1, f.line+1
	}
	f.text.WriteString(text)
}

// row writes a row that begins with a number of its own.
func (f *lined) row(rest string) {
	f.number++
	f.rows = append(f.rows, fmt.Sprint(f.number, " ", f.line))
	f.add(fmt.Sprint(f.number, ",", rest))
}

// bad writes a row that is rejected.
func (f *lined) bad(text string) {
	f.rejects = append(f.rejects, fmt.Sprint(f.line))
	f.add(text)
}

// messyLines is a file with all that makes rows and lines differ, of about so many rows, with title lines above its header.
func messyLines(rows int, unfit bool, lineEnds ...string) *lined {
	f := &lined{line: 1, lineEnds: lineEnds, unfit: unfit}
	f.add("A report~~n,\"the~text\",note~")
	for n := 0; len(f.rows) < rows; n++ {
		f.row("the text of a row,x~")
		switch n % 11 {
		case 1:
			f.row("\"a~~b\",\"c~\"~")
		case 2:
			f.add("~~")
		case 3:
			f.bad("0,a NUL \x00,x~")
		case 4:
			f.bad("0,\"a NUL~\x00~\",\"~\"~")
		case 5:
			f.row("a,b,\"more~\",\"than~~there is\"~")
		case 6:
			f.row("short~")
		case 7:
			f.row("\"\",\"say \"\"a~\"\"\"~")
		case 8:
			f.row("a \"quote\" within,x~")
		case 9:
			f.row(strings.Repeat("long ", n%700) + ",x~")
		case 10:
			if f.unfit {
				f.bad("none,\"a~\",x~")
			}
		}
	}
	f.row("without a line end,x")
	return f
}

// expectLines holds that each row of a job tells of its line, all of them of the job and of one time, and that the result is silent.
func (e *env) expectLines(job events.Job, f *lined) {
	e.t.Helper()
	table := pgx.Identifier{"public", job.Spec.Table}.Sanitize()
	e.expectMany(f.rows, "SELECT n || ' ' || _line FROM "+table+" ORDER BY _line")
	e.expectMany(f.rejects, "SELECT r.line::text FROM sluice.rejects r ORDER BY r.line")
	e.expectTexts([]string{"true"}, "SELECT DISTINCT (_job = job_id AND _loaded_at = loaded_at)::text FROM "+table+
		", sluice.datasets WHERE table_name = $1 AND job_id = $2", job.Spec.Table, job.ID)
	end := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
	for _, c := range end.Result.Columns {
		if strings.HasPrefix(c.Name, "_") {
			e.t.Errorf("the result tells of column %s", c.Name)
		}
	}
}

// expectMany is like expectTexts, and shows where they differ first.
func (e *env) expectMany(want []string, sql string) {
	e.t.Helper()
	rows, err := e.sql.Query(e.ctx, sql)
	if err != nil {
		e.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		e.t.Fatal(err)
	}
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	if n < max(len(got), len(want)) {
		e.t.Errorf("%d are as they should be of %d: then come %q, want %q", n, len(want), got[n:min(n+3, len(got))], want[n:min(n+3, len(want))])
	}
}

// TestLines holds that each row tells of the line of the file where it starts, whatever the file is like and however it is loaded.
func TestLines(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	tolerant := func(s *events.Spec) { s.MaxBadRows = events.BadRows{Percent: 50} }
	for name, tt := range map[string]struct {
		file   *lined
		write  func(text string) string // as it is sent
		change func(*events.Spec)
		set    setting
	}{
		"LF":               {file: messyLines(rows, false, "\n")},
		"CRLF":             {file: messyLines(rows, false, "\r\n")},
		"CR":               {file: messyLines(rows, false, "\r")},
		"mixed line ends":  {file: messyLines(rows, false, "\n", "\r\n", "\n", "\r\n", "\r\n")},
		"UTF-16":           {file: messyLines(rows, false, "\n"), write: inUTF16},
		"compressed":       {file: messyLines(rows, false, "\n", "\r\n"), write: func(text string) string { return gzipped(t, text) }},
		"an archive":       {file: messyLines(rows, false, "\n"), write: func(text string) string { return zipped(t, "a.csv", text) }},
		"one after other":  {file: messyLines(rows, false, "\n"), change: func(s *events.Spec) { s.Ordered = true }},
		"in one batch":     {file: messyLines(rows, false, "\n"), set: inOneBatch},
		"latin":            {file: messyLines(rows, false, "\n"), change: func(s *events.Spec) { s.CSV.Encoding = "windows-1252" }},
		"skipped lines":    {file: messyLines(rows, false, "\r\n"), change: func(s *events.Spec) { s.CSV.SkipRows = new(2) }},
		"inferred types":   {file: messyLines(rows, false, "\n"), change: func(s *events.Spec) { s.Types.Infer = true }},
		"no empty strings": {file: messyLines(rows, false, "\n"), change: func(s *events.Spec) { s.Null = []string{"x"} }},
		"stated types": {file: messyLines(rows, true, "\r\n"), change: func(s *events.Spec) {
			s.Types.Stated = map[string]events.ColumnType{"n": {Type: "integer"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			text := tt.file.text.String()
			if tt.write != nil {
				text = tt.write(text)
			}
			if tt.change == nil {
				tt.change = func(*events.Spec) {}
			}
			if tt.set == nil {
				tt.set = threeAtOnce
			}
			e.start("w1", tt.set)
			job := e.submit(newJob(testenv.Files(t, map[string]string{"/a.csv": text})+"/a.csv", withLineage, tolerant, tt.change))
			e.awaitEnd(job, events.StateSucceeded, int64(len(tt.file.rows)))
			e.expectLines(job, tt.file)
		})
	}
}

func inUTF16(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestLinesOverAttempts holds that lines are counted from the file's first one in each attempt, and that all rows have one time.
func TestLinesOverAttempts(t *testing.T) {
	t.Parallel()
	file := messyLines(60_000, false, "\n", "\r\n")
	plain := file.text.String()
	for name, tt := range map[string]struct {
		text   string
		ranges bool
	}{
		"by ranges":      {plain, true},
		"from the start": {plain, false},
		"compressed":     {gzipped(t, plain), true},
		"UTF-16":         {inUTF16(plain), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			size := len(tt.text)
			f := breaking(t, tt.text, &fragile{ranges: tt.ranges, breaks: []int{size / 3, size * 2 / 3, size * 9 / 10}})
			e.start("w1", threeAtOnce)
			job := e.submit(newJob(f.url, withLineage, func(s *events.Spec) { s.MaxBadRows = events.BadRows{Percent: 50} }))
			end := e.awaitEnd(job, events.StateSucceeded, int64(len(file.rows)))
			if end.Data.(events.Succeeded).Result.ResumedFrom == 0 || end.Attempt != 4 {
				t.Errorf("ended as %+v", end)
			}
			e.expectLines(job, file)
		})
	}
}

// TestLinesAfterATakeover holds the same of a worker that is cut off in the midst, and of the one that takes over from it.
func TestLinesAfterATakeover(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	file := messyLines(40_000, false, "\n")
	text := file.text.String()
	half := strings.Index(text[len(text)/2:], "\n") + len(text)/2 + 20
	rest := make(chan struct{})
	url := testenv.StartWeb(t).On("/file.csv",
		testenv.Answer{testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(text[:half]), testenv.Await(rest)},
		testenv.Answer{testenv.Head(200, "Transfer-Encoding: chunked"), testenv.Chunk(text), testenv.Send("0\r\n\r\n")})
	queue, onQueue := e.proxiedNATS("w1")
	database, inDatabase := e.proxiedDatabase()
	e.start("w1", onQueue, inDatabase, threeAtOnce)
	job := e.submit(newJob(url, withLineage, func(s *events.Spec) { s.MaxBadRows = events.BadRows{Percent: 50} }))
	e.awaitBatches(job)
	queue.Cut()
	database.Cut()
	close(rest)
	e.start("w2", threeAtOnce)
	e.awaitEnd(job, events.StateSucceeded, int64(len(file.rows)))
	e.expectLines(job, file)
}

// TestOwnColumnsGiveWay holds that a file's columns which are called like those of the lineage get other names, and only with it.
func TestOwnColumnsGiveWay(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	url := testenv.Files(t, map[string]string{"/a.csv": "n,_line,_LOADED_AT,_job_2,_job\n1,a,b,c,d\n"}) + "/a.csv"
	for name, tt := range map[string]struct {
		lineage bool
		columns []string
	}{
		"with lineage": {true, []string{"n", "_line_2", "_LOADED_AT_2", "_job_2", "_job_3", "_line", "_job", "_loaded_at"}},
		"without":      {false, []string{"n", "_line", "_LOADED_AT", "_job_2", "_job"}},
	} {
		job := e.submit(newJob(url, func(s *events.Spec) { s.Lineage = tt.lineage }))
		end := e.await(job, events.TypeSucceeded).Data.(events.Succeeded)
		e.expectTexts(tt.columns, "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum",
			pgx.Identifier{"public", job.Spec.Table}.Sanitize())
		var names []string
		for _, c := range end.Result.Columns {
			names = append(names, c.Name)
		}
		if !reflect.DeepEqual(names, tt.columns[:5]) {
			t.Errorf("%s: the result tells of the columns %q", name, names)
		}
	}
}

// TestRoomForLineage holds that a file which leaves no room for it is refused by its header.
func TestRoomForLineage(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.start("w1")
	wide := func(columns int) string {
		names := []string{"n"}
		for n := range columns - 1 {
			names = append(names, fmt.Sprint("c", n))
		}
		return strings.Join(names, ",") + "\n1" + strings.Repeat(",", columns-1) + "\n"
	}
	files := testenv.Files(t, map[string]string{"/fits.csv": wide(1597), "/wide.csv": wide(1598)})
	job := e.submit(newJob(files+"/wide.csv", withLineage))
	if why := failure(e.await(job, events.TypeFailed)); why.Code != events.CodeTooManyColumns || !strings.Contains(why.Message, "1597") {
		t.Errorf("it failed with %+v", why)
	}
	job = e.submit(newJob(files+"/fits.csv", withLineage))
	e.await(job, events.TypeSucceeded)
	e.expectTexts([]string{"1 2"}, "SELECT n || ' ' || _line FROM "+pgx.Identifier{"public", job.Spec.Table}.Sanitize())
}
