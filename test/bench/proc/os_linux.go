package proc

import "syscall"

// endWithParent kills the process when we end without having done so.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
