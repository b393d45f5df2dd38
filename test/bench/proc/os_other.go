//go:build !linux

package proc

import "syscall"

// endWithParent does nothing: only Linux has a way, and only there the benchmark runs.
func endWithParent(*syscall.SysProcAttr) {}
