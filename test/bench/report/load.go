package report

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// busyAbove is the load, of the last minute, above which a machine does not rest.
const busyAbove = 0.5

// Load is how many processes have computed, or waited for their turn, on average of the last 1, 5 and 15 minutes.
type Load [3]float64

// LoadNow is the machine's load.
func LoadNow() (Load, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return Load{}, fmt.Errorf("asking for the load: %w", err)
	}
	return parseLoad(string(text))
}

func parseLoad(loadavg string) (l Load, err error) {
	fields := strings.Fields(loadavg)
	if len(fields) < len(l) {
		return Load{}, fmt.Errorf("the load is %q", loadavg)
	}
	for n := range l {
		if l[n], err = strconv.ParseFloat(fields[n], 64); err != nil {
			return Load{}, fmt.Errorf("reading the load: %w", err)
		}
	}
	return l, nil
}

func (l Load) String() string {
	text := fmt.Sprintf("Load averages before: %.2f, %.2f, %.2f.", l[0], l[1], l[2])
	if l[0] > busyAbove {
		text += "\n**The machine had other work to do: these figures are provisional.**"
	}
	return text
}
