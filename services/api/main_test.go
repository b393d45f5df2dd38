package api

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestMain holds, once all tests have run, that each answer that the document tells of has occurred.
func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Close()
	if code == 0 && wholePackage() {
		if missing := described().unmet(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "FAIL: no test has met these answers that openapi.yaml tells of:\n  %s\n", strings.Join(missing, "\n  "))
			code = 1
		}
	}
	os.Exit(code)
}

// wholePackage reports whether no test was left out.
func wholePackage() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return flag.Lookup("test.short").Value.String() == "false"
}
