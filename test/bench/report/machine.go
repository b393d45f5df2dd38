package report

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what the benchmark runs on.
type Machine struct {
	Cores      int
	Model      string // of the CPU
	Memory     int64  // in bytes
	Kernel     string
	FileSystem string // that the data lie on
}

// ThisMachine describes the machine, with the file system of dir.
func ThisMachine(dir string) (Machine, error) {
	var texts [4]string
	for n, path := range []string{"/proc/cpuinfo", "/proc/meminfo", "/proc/sys/kernel/osrelease", "/proc/self/mounts"} {
		text, err := os.ReadFile(path)
		if err != nil {
			return Machine{}, fmt.Errorf("describing the machine: %w", err)
		}
		texts[n] = string(text)
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Machine{}, fmt.Errorf("describing the machine: %w", err)
	}
	return Machine{
		Cores: runtime.NumCPU(), Model: cpuModel(texts[0]), Memory: totalMemory(texts[1]),
		Kernel: strings.TrimSpace(texts[2]), FileSystem: fileSystem(texts[3], dir),
	}, nil
}

func (m Machine) String() string {
	return fmt.Sprintf("%d cores, %s, %d GiB of memory, Linux %s, %s", m.Cores, m.Model, (m.Memory+1<<29)>>30, m.Kernel, m.FileSystem)
}

// cpuModel is empty or unknown on architectures that do not tell it.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU (" + runtime.GOARCH + ")"
}

func totalMemory(meminfo string) int64 {
	_, text, _ := strings.Cut(meminfo, "MemTotal:")
	text, _, _ = strings.Cut(text, "kB")
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return kilobytes << 10
}

// fileSystem is the type of the mount that dir lies on: the longest one above it, and of equals the last.
func fileSystem(mounts, dir string) string {
	found, longest := "unknown file system", -1
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		point := strings.TrimSuffix(fields[1], "/")
		if above := dir == point || strings.HasPrefix(dir, point+"/"); above && len(point) >= longest {
			found, longest = fields[2], len(point)
		}
	}
	return found
}
