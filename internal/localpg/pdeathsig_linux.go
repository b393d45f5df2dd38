package localpg

import "syscall"

// bind has the kernel send sig to the process when the thread that starts it dies.
func bind(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }
