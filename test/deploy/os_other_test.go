//go:build !linux

package deploy

import "syscall"

func endWithParent(*syscall.SysProcAttr) {}
