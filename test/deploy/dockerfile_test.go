package deploy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages reads the Dockerfile as Docker does.
func stages() ([]instructions.Stage, error) {
	file, err := os.Open(deployed("Dockerfile"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	if len(parsed.Warnings) > 0 {
		return nil, fmt.Errorf("warnings: %+v", parsed.Warnings)
	}
	all, _, err := instructions.Parse(parsed.AST, nil)
	return all, err
}

// commands are the instructions of one kind in a stage.
func commands[C instructions.Command](stage instructions.Stage) []C {
	var found []C
	for _, command := range stage.Commands {
		if c, ok := command.(C); ok {
			found = append(found, c)
		}
	}
	return found
}

// source is the directory of the build stage: what the Dockerfile copies, and no more.
var source = sync.OnceValues(func() (string, error) {
	all, err := stages()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(scratch, "src")
	for _, c := range commands[*instructions.CopyCommand](all[0]) {
		for _, path := range c.SourcePaths {
			if c.DestPath != path {
				return "", fmt.Errorf("%s is copied to %s", path, c.DestPath)
			}
			if err := os.CopyFS(filepath.Join(dir, path), os.DirFS(filepath.Join(root, path))); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
})

// result is where the build stage puts the program.
const result = "/out/service"

// build runs the RUN instruction of the build stage for a service, and returns the program.
func build(service string) (string, error) {
	dir, err := source()
	if err != nil {
		return "", err
	}
	all, err := stages()
	if err != nil {
		return "", err
	}
	runs := commands[*instructions.RunCommand](all[0])
	if len(runs) != 1 || !runs[0].PrependShell || len(runs[0].CmdLine) != 1 || !strings.Contains(runs[0].CmdLine[0], "-o "+result) {
		return "", errors.New("the build is not the one command that is expected")
	}
	program := filepath.Join(scratch, "out", service)
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(runs[0].CmdLine[0], result, program))
	// The image's build knows nothing of this test's own flags, such as -race.
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SERVICE="+service, "GOFLAGS=-buildvcs=false")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", service, err, output)
	}
	return program, nil
}

// programs are the services as the Dockerfile builds them.
var programs = sync.OnceValues(func() (map[string]string, error) {
	built := map[string]string{}
	for _, service := range []string{"api", "status", "ingester", "sluice"} {
		program, err := build(service)
		if err != nil {
			return nil, err
		}
		built[service] = program
	}
	return built, nil
})

// program is a service as the Dockerfile builds it.
func program(t testing.TB, service string) string {
	t.Helper()
	built, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return built[service]
}

func TestDockerfileBuilds(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"api", "status", "ingester", "sluice"} {
		output, err := exec.Command(program(t, service), "--help").CombinedOutput()
		if want := strings.TrimSuffix("sluice-"+service, "-sluice"); err != nil || !strings.Contains(string(output), want) {
			t.Errorf("%s: %v\n%s", service, err, output)
		}
	}
	if _, err := build("other"); err == nil || !strings.Contains(err.Error(), "SERVICE must be") {
		t.Errorf("an unknown service: %v", err)
	}
}

func TestDockerfileImage(t *testing.T) {
	t.Parallel()
	all, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("it has %d stages", len(all))
	}
	final := all[1]
	copies := commands[*instructions.CopyCommand](final)
	entry := commands[*instructions.EntrypointCommand](final)
	user := commands[*instructions.UserCommand](final)
	if len(copies) != 1 || copies[0].From != all[0].Name || copies[0].SourcePaths[0] != result {
		t.Fatalf("the image gets %+v", copies)
	}
	if len(entry) != 1 || entry[0].PrependShell || entry[0].CmdLine[0] != copies[0].DestPath {
		t.Errorf("the image runs %+v", entry)
	}
	if len(user) != 1 || strings.HasPrefix(user[0].User, "0") || user[0].User == "root" {
		t.Errorf("it runs as %+v", user)
	}
}
