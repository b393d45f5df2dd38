package localpg

import (
	"bytes"
	"fmt"
	"os"
)

// serves tells whether the process is a Postgres server that runs on the data directory, which is then its working
// directory. What can't be read belongs to another user or is dead, and can't be the server either way.
func serves(pid int, data string) bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !bytes.Contains(name, []byte("postgres")) {
		return false
	}
	there, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	here, err := os.Stat(data)
	return err == nil && os.SameFile(here, there)
}
