package report

import (
	"fmt"
	"strings"

	"sluice/test/bench/server"
)

// WaitTable tells what backends were seen to do.
func WaitTable(waits server.Waits) string {
	sum := 0
	for _, count := range waits {
		sum += count
	}
	var b strings.Builder
	b.WriteString("| wait event type | wait event | count | share |\n|---|---|---:|---:|\n")
	for _, wait := range waits.Sorted() {
		kind := wait.Type
		if kind == "" {
			kind = "(computing)"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %.0f %% |\n", kind, wait.Event, waits[wait], 100*float64(waits[wait])/float64(sum))
	}
	return b.String()
}
