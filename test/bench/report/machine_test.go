package report

import "testing"

func TestMachine(t *testing.T) {
	if got := cpuModel("processor\t: 0\nmodel name\t: A CPU @ 3 GHz\nmodel name\t: another\n"); got != "A CPU @ 3 GHz" {
		t.Errorf("the CPU is %s", got)
	}
	if got := totalMemory("MemTotal:       16384 kB\nMemFree:  1 kB\n"); got != 16<<20 {
		t.Errorf("the memory is %d", got)
	}
	const mounts = "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/sda /var ext4 rw 0 0\n/dev/sdb /var xfs rw 0 0\ntmpfs /va tmpfs rw 0 0\n"
	for dir, want := range map[string]string{"/var/cache": "xfs", "/var": "xfs", "/variable": "overlay", "/": "overlay", "/va/x": "tmpfs"} {
		if got := fileSystem(mounts, dir); got != want {
			t.Errorf("%s is on %s", dir, got)
		}
	}
	if got := fileSystem("", "/"); got != "unknown file system" {
		t.Errorf("without mounts it is %s", got)
	}
}
