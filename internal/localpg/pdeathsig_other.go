//go:build !linux

package localpg

import "syscall"

// bind can do nothing here; the next Start ends a server that outlived us.
func bind(*syscall.SysProcAttr, syscall.Signal) {}
