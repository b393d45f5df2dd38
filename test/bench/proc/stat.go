// Package proc runs programs and tells what they use, as Linux counts it in /proc.
package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux tells times of a process, whatever the kernel's own is.
const tick = time.Second / 100

// stat is what the benchmark needs of /proc/<pid>/stat.
type stat struct {
	parent    int
	own       time.Duration // user and system
	inherited time.Duration // of the children that have ended and been waited for
}

// parseStat reads the fields after the program's name, which stands in parentheses and may hold anything.
func parseStat(text string) (stat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("a process's figures are %q", text)
	}
	var numbers [5]int64
	for n, field := range []int{1, 11, 12, 13, 14} { // proc_pid_stat(5), 4 and 14 to 17
		value, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("reading a process's figures: %w", err)
		}
		numbers[n] = value
	}
	return stat{
		parent:    int(numbers[0]),
		own:       time.Duration(numbers[1]+numbers[2]) * tick,
		inherited: time.Duration(numbers[3]+numbers[4]) * tick,
	}, nil
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("reading a process's figures: %w", err)
	}
	return parseStat(string(text))
}

// CPU is the time that a process has computed, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	return s.own, err
}

// TreeCPU is the time that a process and its children have computed, those included that have ended and that it has
// waited for. What children of children do is counted once they have ended.
func TreeCPU(root int) (time.Duration, error) {
	for {
		before, err := readStat(root)
		if err != nil {
			return 0, err
		}
		living, err := childrenCPU(root)
		if err != nil {
			return 0, err
		}
		after, err := readStat(root)
		if err != nil {
			return 0, err
		}
		if before.inherited == after.inherited { // else a child has ended meanwhile and may be counted twice or not at all
			return after.own + after.inherited + living, nil
		}
	}
}

func childrenCPU(parent int) (time.Duration, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, fmt.Errorf("looking for processes: %w", err)
	}
	var sum time.Duration
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		s, err := parseStat(string(text))
		if err != nil {
			return 0, err
		}
		if s.parent == parent {
			sum += s.own + s.inherited
		}
	}
	return sum, nil
}

// ErrEnded says that a process has no memory any more.
var ErrEnded = errors.New("the process has ended")

// PeakMemory is the most that a process has had in memory since it was started or [ResetPeak] was called, in bytes.
func PeakMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading a process's memory: %w", err)
	}
	return parsePeak(string(text))
}

func parsePeak(status string) (int64, error) {
	_, rest, found := strings.Cut(status, "\nVmHWM:")
	if !found {
		return 0, ErrEnded
	}
	line, _, _ := strings.Cut(rest, "kB")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading a process's memory: %w", err)
	}
	return kilobytes << 10, nil
}

// ResetPeak makes what a process has in memory now its peak.
func ResetPeak(pid int) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
	if err != nil {
		return fmt.Errorf("resetting a process's peak of memory: %w", err)
	}
	return nil
}
