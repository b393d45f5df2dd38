package report

import (
	"testing"
	"time"

	"sluice/test/bench/data"
	"sluice/test/bench/server"
)

func TestMarkdown(t *testing.T) {
	large := data.File{Kind: "taxi", Size: 250 * data.Megabyte, Rows: 2_500_000, Bytes: 250_000_050}
	small := data.File{Kind: "taxi", Size: 10 * data.Kilobyte, Rows: 100, Bytes: 10_050}
	r := Report{
		Date: time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC), Commit: "abc1234", Go: "go1.26.0", Curl: "curl 8.0",
		Machine: Machine{Cores: 2, Model: "A CPU", Memory: 16 << 30, Kernel: "6.1", FileSystem: "ext4"},
		Load:    Load{0.1, 0.2, 0.3}, Rounds: 2, Extra: []string{"SLUICE_SLOTS=1"},
		Parts: []Part{{
			Postgres: "15.1", Psql: "psql 15.1", Settings: []server.Setting{{Name: "fsync", Value: "on"}, {Name: "wal_level", Value: "replica"}},
			Cases: []Case{
				{File: large, Series: []Series{
					{Way: "a", Runs: []Figures{{Wall: 4 * time.Second, Client: time.Second, Server: 3 * time.Second, Peak: 8e6}}},
					{Way: "b", Runs: []Figures{
						{Wall: 1 * time.Second, Client: time.Second, Server: 2 * time.Second, Rest: 50 * time.Millisecond, Peak: 40e6},
						{Wall: 3 * time.Second, Client: time.Second, Server: 4 * time.Second, Rest: 70 * time.Millisecond, Peak: 60e6},
					}},
				}},
				{File: small, Series: []Series{{Way: "a | b", Runs: runs(0.01, 0.02, 0.0305)}}},
			},
		}},
	}
	const want = `Measured on 2024-02-29 with Sluice abc1234, go1.26.0 and curl 8.0.
Machine: 2 cores, A CPU, 16 GiB of memory, Linux 6.1, ext4. Load averages before: 0.10, 0.20, 0.30.
The ingester was run with ` + "`SLUICE_SLOTS=1`" + `.

### PostgreSQL 15.1

With psql 15.1; server settings:
` + "`fsync=on`, `wal_level=replica`" + `.

Rounds: 2. Medians:

| file | way | s | fastest to slowest | rows/s | MB/s | speed | client CPU s | client peak MB | rest of Sluice CPU s | server CPU s |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| taxi 250MB | a | 4.000 | 4.000 to 4.000 | 625,000 | 62.5 | 1.00 | 1.00 | 8 |  | 3.00 |
| taxi 250MB | b | 2.000 | 1.000 to 3.000 | 1,250,000 | 125.0 | **2.00** | 1.00 | 50 | 0.06 | 3.00 |

Small files, one after the other:

| file | way | times | median ms | 95th percentile | slowest |
|---|---|---:|---:|---:|---:|
| taxi 10kB | a \| b | 3 | 20.0 | 30.5 | 30.5 |
`
	if got := r.Markdown(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestWaitTable(t *testing.T) {
	const want = `| wait event type | wait event | count | share |
|---|---|---:|---:|
| (computing) |  | 90 | 90 % |
| Client | ClientRead | 7 | 7 % |
| Lock | extend | 3 | 3 % |
`
	got := WaitTable(server.Waits{{}: 90, {Type: "Lock", Event: "extend"}: 3, {Type: "Client", Event: "ClientRead"}: 7})
	if got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

func TestComparison(t *testing.T) {
	const want = `Measured on 2024-02-29 with Sluice abc1234, a 1.0, b 2.0.
Machine: 2 cores, A CPU, 16 GiB of memory, Linux 6.1, ext4. Load averages before: 0.10, 0.20, 0.30.

PostgreSQL 15.1; rounds: 2. Medians:

| file | way | s | rows/s | speed | client CPU s | client peak MB |
|---|---|---:|---:|---:|---:|---:|
| taxi 250MB | a | 4.00 | 625,000 | **1.00** | 1.0 | 8 |
| taxi 250MB | b \| c | 8.00 | 312,500 | **0.50** | 2.0 | 50 |

| file | a | b \| c |
|---|---|---|
| an "odd" one | right | refused |
`
	c := Comparison{
		Report: Report{
			Date: time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC), Commit: "abc1234", Rounds: 2, Load: Load{0.1, 0.2, 0.3},
			Machine: Machine{Cores: 2, Model: "A CPU", Memory: 16 << 30, Kernel: "6.1", FileSystem: "ext4"},
			Parts: []Part{{Postgres: "15.1", Cases: []Case{{
				File: data.File{Kind: "taxi", Size: 250 * data.Megabyte, Rows: 2_500_000, Bytes: 250e6},
				Series: []Series{
					{Way: "a", Runs: []Figures{{Wall: 4 * time.Second, Client: time.Second, Peak: 8e6}}},
					{Way: "b | c", Runs: []Figures{{Wall: 8 * time.Second, Client: 2 * time.Second, Peak: 50e6}}},
				},
			}}}},
		},
		Loaders: []string{"a 1.0", "b 2.0"}, Files: []string{`an "odd" one`}, Verdicts: [][]string{{"right", "refused"}},
	}
	if got := c.Markdown(); got != want {
		t.Errorf("the comparison is\n%s\nwant\n%s", got, want)
	}
}
