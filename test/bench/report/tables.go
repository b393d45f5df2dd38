package report

import (
	"fmt"
	"strings"
	"time"
)

// Markdown is the whole report.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with Sluice %s, %s and %s.\n", r.Date.UTC().Format(time.DateOnly), r.Commit, r.Go, r.Curl)
	fmt.Fprintf(&b, "Machine: %s. %s\n", r.Machine, r.Load)
	if len(r.Extra) > 0 {
		fmt.Fprintf(&b, "The ingester was run with `%s`.\n", strings.Join(r.Extra, "`, `"))
	}
	for _, part := range r.Parts {
		b.WriteString("\n" + part.markdown(r.Rounds))
	}
	return b.String()
}

// Comparison is a benchmark of several loaders, and what each has made of some files.
type Comparison struct {
	Report

	Loaders  []string // with their versions
	Files    []string
	Verdicts [][]string // by file, and loader
}

// Markdown is the whole comparison.
func (c Comparison) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with Sluice %s, %s.\n", c.Date.UTC().Format(time.DateOnly), c.Commit, strings.Join(c.Loaders, ", "))
	fmt.Fprintf(&b, "Machine: %s. %s\n\n", c.Machine, c.Load)
	for _, part := range c.Parts {
		fmt.Fprintf(&b, "PostgreSQL %s; rounds: %d. Medians:\n\n%s\n", part.Postgres, c.Rounds, comparedTable(part.Cases))
	}
	b.WriteString("| file | " + strings.Join(c.ways(), " | ") + " |\n|---" + strings.Repeat("|---", len(c.ways())) + "|\n")
	for n, file := range c.Files {
		b.WriteString("| " + file)
		for _, verdict := range c.Verdicts[n] {
			b.WriteString(" | " + cell(verdict))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

func (c Comparison) ways() []string {
	var names []string
	for _, s := range c.Parts[0].Cases[0].Series {
		names = append(names, cell(s.Way))
	}
	return names
}

// comparedTable has a row for each way of loading each file, with what a user sees of it.
func comparedTable(cases []Case) string {
	var b strings.Builder
	b.WriteString("| file | way | s | rows/s | speed | client CPU s | client peak MB |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, c := range cases {
		for _, s := range c.Series {
			took := median(s.Runs, wall).Seconds()
			fmt.Fprintf(&b, "| %s | %s | %.2f | %s | **%.2f** | %.1f | %.0f |\n", c.File.Name(), cell(s.Way), took,
				grouped(int64(float64(c.File.Rows)/took)), speed(c.Series[0].Runs, s.Runs), median(s.Runs, client).Seconds(),
				float64(median(s.Runs, peak))/1e6)
		}
	}
	return b.String()
}

func (p Part) markdown(rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### PostgreSQL %s\n\n", p.Postgres)
	var settings []string
	for _, s := range p.Settings {
		settings = append(settings, "`"+s.Name+"="+s.Value+"`")
	}
	fmt.Fprintf(&b, "With %s; server settings:\n%s.\n", p.Psql, strings.Join(settings, ", "))
	var speeds, latencies []Case
	for _, c := range p.Cases {
		if c.Latency() {
			latencies = append(latencies, c)
		} else {
			speeds = append(speeds, c)
		}
	}
	if len(speeds) > 0 {
		fmt.Fprintf(&b, "\nRounds: %d. Medians:\n\n%s", rounds, speedTable(speeds))
	}
	if len(latencies) > 0 {
		b.WriteString("\nSmall files, one after the other:\n\n" + latencyTable(latencies))
	}
	return b.String()
}

// speedTable has a row for each way of loading each file.
func speedTable(cases []Case) string {
	var b strings.Builder
	b.WriteString("| file | way | s | fastest to slowest | rows/s | MB/s | speed " +
		"| client CPU s | client peak MB | rest of Sluice CPU s | server CPU s |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range cases {
		for n, s := range c.Series {
			took := median(s.Runs, wall).Seconds()
			ratio := fmt.Sprintf("%.2f", speed(c.Series[0].Runs, s.Runs))
			if n > 0 {
				ratio = "**" + ratio + "**"
			}
			fmt.Fprintf(&b, "| %s | %s | %.3f | %.3f to %.3f | %s | %.1f | %s | %.2f | %.0f | %s | %.2f |\n", c.File.Name(), cell(s.Way), took,
				percentile(s.Runs, 0, wall).Seconds(), percentile(s.Runs, 100, wall).Seconds(),
				grouped(int64(float64(c.File.Rows)/took)), float64(c.File.Bytes)/took/1e6, ratio,
				median(s.Runs, client).Seconds(), float64(median(s.Runs, peak))/1e6,
				orNothing(median(s.Runs, rest)), median(s.Runs, backend).Seconds())
		}
	}
	return b.String()
}

func latencyTable(cases []Case) string {
	var b strings.Builder
	b.WriteString("| file | way | times | median ms | 95th percentile | slowest |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|\n")
	for _, c := range cases {
		for _, s := range c.Series {
			fmt.Fprintf(&b, "| %s | %s | %d | %.1f | %.1f | %.1f |\n", c.File.Name(), cell(s.Way), len(s.Runs),
				milliseconds(median(s.Runs, wall)), milliseconds(percentile(s.Runs, 95, wall)), milliseconds(percentile(s.Runs, 100, wall)))
		}
	}
	return b.String()
}

// cell keeps a table's separator from being taken for one.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func orNothing(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

// grouped writes thousands apart.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
