package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func some() State {
	return State{
		Name: "loading", Bytes: 10_600_000, Total: new(int64(25_176_781)), Percent: new(42.1), Rows: 84_000,
		Rate: new(int64(8_100_000)), ETA: new(int64(2)),
	}
}

func TestDrawn(t *testing.T) {
	unknown := State{Name: "loading", Bytes: 999, Rows: 3, Note: "1 rejected"}
	for _, c := range []struct {
		state State
		width int
		want  string
	}{
		{some(), 119, "loading    [===========>                ]   42.1%  10.6 MB of 25.2 MB  84,000 rows  8.1 MB/s  ETA 2s"},
		{some(), 85, "loading    [=====>      ]   42.1%  10.6 MB of 25.2 MB  84,000 rows  8.1 MB/s  ETA 2s"},
		{some(), 79, "loading    [==>   ]   42.1%  10.6 MB of 25.2 MB  84,000 rows  8.1 MB/s  ETA 2s"},
		{some(), 78, "loading     42.1%  10.6 MB of 25.2 MB  84,000 rows  8.1 MB/s  ETA 2s"},
		{some(), 20, "loading     42.1%  1"},
		{unknown, 79, "loading    999 B  3 rows  1 rejected"},
		{State{Name: "queued", Note: "2 in the queue"}, 79, "queued     2 in the queue"},
		{State{Name: "queued"}, 79, "queued"},
		{State{Name: "succeeded", Percent: new(100.0)}, 30, "succeeded  [========]  100.0%"},
	} {
		if got := c.state.drawn(c.width); got != c.want || len(got) > c.width {
			t.Errorf("on %d characters:\n%q, want\n%q", c.width, got, c.want)
		}
	}
}

func TestBar(t *testing.T) {
	for percent, want := range map[float64]string{
		-5: "[>    ]", 0: "[>    ]", 19.9: "[>    ]", 20: "[=>   ]", 99.9: "[====>]", 100: "[=====]", 250: "[=====]",
	} {
		if got := bar(percent, 7); got != want {
			t.Errorf("%g %%: %s, want %s", percent, got, want)
		}
	}
}

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_951: "1.0 MB", 1 << 62: "4611.7 PB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := Number(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Microsecond: "2ms", 2345 * time.Millisecond: "2.3s", 250 * time.Second: "4m10s", 185 * time.Minute: "3h05m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	d := Display{out: &out, Interval: 5 * time.Second, now: func() time.Time { return now }}
	for _, step := range []struct {
		after time.Duration
		name  string
		rows  int64
	}{
		{0, "queued", 0}, {time.Second, "queued", 0}, {time.Second, "loading", 1}, {time.Second, "loading", 2},
		{4 * time.Second, "loading", 3}, {time.Second, "loading", 4}, {0, "succeeded", 5},
	} {
		now = now.Add(step.after)
		d.Show(State{Name: step.name, Rows: step.rows})
	}
	d.End()
	if want := "queued\nloading  1 row\nloading  3 rows\nsucceeded  5 rows\n"; out.String() != want {
		t.Errorf("written was %q, want %q", out.String(), want)
	}
}

func TestScreen(t *testing.T) {
	var out bytes.Buffer
	d := Display{out: &out, width: func() int { return 12 }}
	d.End()
	d.Show(State{Name: "queued"})
	d.Say("waiting")
	d.Show(State{Name: "loading", Rows: 123456})
	d.End()
	d.End()
	if want := "\rqueued\x1b[K\nwaiting\n\rloading    \x1b[K\n"; out.String() != want {
		t.Errorf("drawn was %q, want %q", out.String(), want)
	}
	if strings.Count(out.String(), "\n") != 3 {
		t.Error("the line was not ended once")
	}
}
