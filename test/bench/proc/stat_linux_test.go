package proc

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const text = "42 (a) S 9 (b) S 7 42 42 0 -1 4194560 100 200 0 0 150 50 1000 25 20 0 1 0 100 1000000 500 184467"
	s, err := parseStat(text)
	want := stat{parent: 7, own: 2 * time.Second, inherited: 10250 * time.Millisecond}
	if err != nil || s != want {
		t.Errorf("%+v (%v), want %+v", s, err, want)
	}
	for _, bad := range []string{"", "42 (a) S 7", "42 (a) S x 42 42 0 -1 4194560 100 200 0 0 150 50 1000 25 20"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestParsePeak(t *testing.T) {
	if peak, err := parsePeak("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 1000 kB\n"); err != nil || peak != 1234<<10 {
		t.Errorf("%d (%v)", peak, err)
	}
	if _, err := parsePeak("Name:\tx\nState:\tZ (zombie)\n"); !errors.Is(err, ErrEnded) {
		t.Errorf("a process without memory: %v", err)
	}
}

// TestTreeCPUCountsTheDead has a child compute for a while and end, which must not take its time out of the sum.
func TestTreeCPUCountsTheDead(t *testing.T) {
	before, err := TreeCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	child, err := Start(exec.Command("sh", "-c", "n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done"))
	if err != nil {
		t.Fatal(err)
	}
	used, peak, err := child.Finish(t.Context())
	if err != nil || used <= 0 || peak <= 0 {
		t.Fatalf("it has used %s and %d bytes (%v)", used, peak, err)
	}
	after, err := TreeCPU(os.Getpid())
	if err != nil || after-before < used-2*tick {
		t.Errorf("the sum grew by %s (%v), the child has used %s", after-before, err, used)
	}
}

func TestResetPeak(t *testing.T) {
	pid := os.Getpid()
	block := make([]byte, 64<<20)
	for n := range block {
		block[n] = 1
	}
	high, err := PeakMemory(pid)
	if err != nil || high < 64<<20 {
		t.Fatalf("the peak is %d (%v)", high, err)
	}
	if err := ResetPeak(pid); err != nil {
		t.Fatal(err)
	}
	if peak, err := PeakMemory(pid); err != nil || peak > high+8<<20 {
		t.Errorf("the peak is %d after %d (%v)", peak, high, err)
	}
}

func TestFailureTellsWhatWasSaid(t *testing.T) {
	child, err := Start(exec.Command("sh", "-c", "echo so it is; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Failure(); err == nil || err.Error() != "sh: exit status 3\nso it is" {
		t.Errorf("the failure is %v", err)
	}
}
