//go:build !linux

package e2e

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// peakMemory is what a process has in memory now, in bytes: the peak is not told.
func peakMemory(t testing.TB, pid int) int64 {
	t.Helper()
	output, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(string(output)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
