package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sluice/test/bench/data"
)

// systemCache is where root keeps files and servers: Postgres does not run as root, and can't pass root's home.
const systemCache = "/var/cache/sluice-bench"

// options are what is measured and how.
type options struct {
	dir      string
	page     string // empty: nowhere
	kinds    []string
	sizes    []data.Size
	versions []int // of PostgreSQL
	rounds   int
	jobs     int // rounds of files that are loaded for their latency
	warmup   int
	waits    bool
	others   bool     // whether other loaders are measured instead
	ingester []string // NAME=value
}

// parseOptions says to w what is wrong.
func parseOptions(args []string, w io.Writer) (options, error) {
	o := options{
		kinds: data.Kinds(), versions: []int{15, 18},
		sizes: []data.Size{10 * data.Kilobyte, data.Megabyte, 10 * data.Megabyte, 100 * data.Megabyte, 250 * data.Megabyte},
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&o.dir, "dir", cacheDir(), "where files, packages and, for the time of a run, servers are kept")
	flags.StringVar(&o.page, "page", "docs/benchmarks.md", "the page that gets the results, from the repository's root; empty for none")
	flags.Func("files", "kinds of files (default taxi,wide)", list(&o.kinds, knownKind))
	flags.Func("sizes", "sizes of files (default 10kB,1MB,10MB,100MB,250MB)", list(&o.sizes, data.ParseSize))
	flags.Func("postgres", "major versions of PostgreSQL (default 15,18)", list(&o.versions, strconv.Atoi))
	flags.IntVar(&o.rounds, "rounds", 5, "how often each file is loaded in each way")
	flags.IntVar(&o.jobs, "jobs", 50, "the same for files under 100kB, which are loaded to see how long a job takes at the least")
	flags.IntVar(&o.warmup, "warmup", 1, "rounds before the first one that counts")
	flags.BoolVar(&o.waits, "wait-events", false, "show what the backends wait for; the looking slows them, so the page is left alone")
	flags.BoolVar(&o.others, "others", false, "compare Sluice with other loaders instead, which have to be installed")
	flags.Func("ingester-env", "a setting of the ingester, NAME=value; may be repeated", func(text string) error {
		o.ingester = append(o.ingester, text)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if err := o.check(flags.Args()); err != nil {
		_, _ = fmt.Fprintln(w, err)
		return options{}, err
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("it is not clear what %v is for", rest)
	case o.dir == "":
		return errors.New("--dir must name a folder")
	case o.rounds < 1 || o.jobs < 1 || o.warmup < 0:
		return errors.New("--rounds and --jobs must be at least 1, --warmup at least 0")
	}
	dir, err := filepath.Abs(o.dir)
	o.dir = dir
	return err
}

// list reads what stands between commas.
func list[T any](into *[]T, read func(string) (T, error)) func(string) error {
	return func(text string) error {
		*into = nil
		for part := range strings.SplitSeq(text, ",") {
			value, err := read(part)
			if err != nil {
				return err
			}
			*into = append(*into, value)
		}
		return nil
	}
}

func knownKind(name string) (string, error) {
	if !slices.Contains(data.Kinds(), name) {
		return "", fmt.Errorf("there is no kind of file called %q", name)
	}
	return name, nil
}

func cacheDir() string {
	if os.Geteuid() == 0 {
		return systemCache
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "sluice-bench")
}
