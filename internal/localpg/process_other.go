//go:build !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
)

// serves tells whether the process is a Postgres server that runs on the data directory, by its command line.
func serves(pid int, data string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	program, args, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return err == nil && strings.HasSuffix(program, "postgres") && strings.Contains(args+" ", "-D "+data+" ")
}
