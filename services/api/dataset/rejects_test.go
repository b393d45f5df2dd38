package dataset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestRejects(t *testing.T) {
	w := newWorld(t)
	job, other := uuid.NewString(), uuid.NewString()
	for _, id := range []string{job, other} {
		w.Exec(fmt.Sprintf(`INSERT INTO sluice.rejects SELECT '%s', 1, n + 1, n * 100, nullif(n %% 3, 0), CASE WHEN n %% 3 > 0 THEN 'c' || n END, 'too_many_fields',
			'because', CASE n WHEN 5 THEN E'a,"b\n=c' ELSE 'r' || n END FROM generate_series(0, 24) n`, id))
	}
	for _, limit := range []int64{1, 7, 24, 25, 26} {
		var got []string
		q, pages := RejectsQuery{JobID: job, Limit: limit}, int64(1)
		for ; ; pages++ {
			page, err := w.reader.Rejects(w.ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rejects {
				if r.ByteOffset != 100*(r.Line-1) || (r.Column == nil) != (r.ColumnName == nil) || (r.Column == nil) != ((r.Line-1)%3 == 0) {
					t.Errorf("rejected is %+v", r)
				}
				got = append(got, r.Raw)
			}
			if q.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if len(got) != 25 || got[24] != "r24" || got[5] != "a,\"b\n=c" || pages != (24+limit)/limit {
			t.Errorf("with limit %d on %d pages: %q", limit, pages, got)
		}
	}
	var out strings.Builder
	if err := w.reader.ExportRejects(w.ctx, RejectsQuery{JobID: job, Cursor: "300", Limit: 3}, &out); err != nil {
		t.Fatal(err)
	}
	want := "line,byte_offset,column,column_name,code,reason,raw\r\n5,400,1,c4,too_many_fields,because,r4\r\n" +
		"6,500,2,c5,too_many_fields,because,\"a,\"\"b\n=c\"\r\n7,600,,,too_many_fields,because,r6\r\n"
	if out.String() != want {
		t.Errorf("exported is %q, want %q", out.String(), want)
	}
	if page, err := w.reader.Rejects(w.ctx, RejectsQuery{JobID: uuid.NewString(), Limit: 1}); err != nil || len(page.Rejects) != 0 || page.Next != "" {
		t.Errorf("of no job: %+v (%v)", page, err)
	}
	for _, cursor := range []string{"x", "-1", "1.5", "99999999999999999999"} {
		_, err := w.reader.Rejects(w.ctx, RejectsQuery{JobID: job, Limit: 1, Cursor: cursor})
		wantParameter(t, cursor, err, "cursor")
	}
}
