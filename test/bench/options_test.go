package main

import (
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sluice/test/bench/data"
)

func TestOptions(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	o, err := parseOptions([]string{
		"--dir", dir, "--page", "", "--files", "wide", "--sizes", "10kB,250MB", "--postgres", "18", "--rounds", "3", "--jobs", "9",
		"--warmup", "0", "--wait-events", "--ingester-env", "A=1", "--ingester-env", "B=2,3",
	}, io.Discard)
	want := options{
		dir: dir, kinds: []string{"wide"}, sizes: []data.Size{10 * data.Kilobyte, 250 * data.Megabyte}, versions: []int{18},
		rounds: 3, jobs: 9, waits: true, ingester: []string{"A=1", "B=2,3"},
	}
	if err != nil || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v (%v), want %+v", o, err, want)
	}
	o, err = parseOptions(nil, io.Discard)
	if err != nil || !filepath.IsAbs(o.dir) || len(o.kinds) != 2 || len(o.sizes) != 5 || len(o.versions) != 2 || o.rounds != 5 {
		t.Errorf("the defaults are %+v (%v)", o, err)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, args := range []string{
		"--files=long", "--sizes=10", "--sizes=", "--postgres=new", "--rounds=0", "--jobs=0", "--warmup=-1", "--dir=", "--fast", "250MB",
	} {
		var said strings.Builder
		if o, err := parseOptions([]string{args}, &said); err == nil || said.Len() == 0 {
			t.Errorf("%s makes %+v, and %q is said", args, o, said.String())
		}
	}
}
