package fault

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// skewFile is what package time gets besides, and skewed what Now becomes: the clock on the wall is off by as many seconds
// as the environment says, while the monotonic one, which no administrator can set, is not.
const (
	skewFile = `package time

import "syscall"

var skew = func() (seconds int64) {
	text, _ := syscall.Getenv("SLUICE_FAULT_CLOCK")
	sign := int64(1)
	for _, c := range text {
		if c == '-' {
			sign = -1
		} else {
			seconds = seconds*10 + int64(c-'0')
		}
	}
	return sign * seconds
}()
`
	now    = "sec, nsec, mono := runtimeNow()\n\tif mono == 0"
	skewed = "sec, nsec, mono := runtimeNow()\n\tsec += skew\n\tif mono == 0"
)

// buildSkewed builds the services with a standard library whose clock can be set, and returns where they are.
func buildSkewed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	output, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(strings.TrimSpace(string(output)), "src", "time")
	original, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(original), now) != 1 {
		t.Fatal("Now is not what it was; this Go needs another way of setting a clock")
	}
	overlay := map[string]map[string]string{"Replace": {
		filepath.Join(library, "time.go"): filepath.Join(dir, "time.go"), filepath.Join(library, "skew.go"): filepath.Join(dir, "skew.go"),
	}}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"time.go": strings.Replace(string(original), now, skewed, 1), "skew.go": skewFile, "overlay.json": string(list),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := testenv.Build(dir, append([]string{"-race=false", "-overlay", filepath.Join(dir, "overlay.json")}, services...)...); err != nil {
		t.Fatalf("services with clocks that can be set: %v", err)
	}
	return dir
}

// clocks runs services whose clocks are an hour off, each in its own direction, and kills workers meanwhile.
func clocks(t *testing.T, random *rand.Rand) {
	built := buildSkewed(t)
	s := start(t, random, 0)
	s.programs = built
	skew := []string{"3600", "-3600"}
	random.Shuffle(2, func(i, k int) { skew[i], skew[k] = skew[k], skew[i] })
	s.env = []string{"SLUICE_FAULT_CLOCK=" + skew[0]}
	s.api.kill()
	s.startAPI()
	s.env = []string{"SLUICE_FAULT_CLOCK=" + skew[1]}
	s.status.kill()
	s.startStatus()
	s.env = nil
	s.addWorker("a", "SLUICE_FAULT_CLOCK="+skew[0])
	s.addWorker("b", "SLUICE_FAULT_CLOCK="+skew[1])
	s.awaitReady()
	s.loadMany(10)
	from := serve(t, makeFile(random, 2<<20), true)
	first, second := from.addGate(len(from.content)/3), from.addGate(len(from.content)/2)
	a := s.submit(from, "clocks", nil)
	for _, g := range []*gate{first, second} {
		s.reach(g)
		w := s.workerOf(a)
		w.kill()
		g.release()
		s.startWorker(w)
	}
	for _, job := range s.loadMany(10) {
		if j := s.awaitEnd(job.id); j.Attempt != 1 {
			t.Errorf("job %s took %d attempts", j.ID, j.Attempt)
		}
	}
	s.check()
}
