package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository is the root of the workspace that we stand in.
func repository(ctx context.Context) (string, error) {
	file, err := output(ctx, "go", "env", "GOWORK")
	if err != nil {
		return "", err
	}
	if file == "" || file == "off" {
		return "", errors.New("the benchmark builds Sluice from its workspace: run it inside of that, without GOWORK=off")
	}
	return filepath.Dir(file), nil
}

// build builds what is measured into dir.
func build(ctx context.Context, root, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir, "./cmd/sluice", "./services/ingester/cmd/sluice-ingester")
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building Sluice: %w\n%s", err, said)
	}
	return nil
}

// output is what a program says.
func output(ctx context.Context, program string, args ...string) (string, error) {
	said, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", program, err)
	}
	return strings.TrimSpace(string(said)), nil
}

// firstWords are the first n words of a text.
func firstWords(text string, n int) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(n, len(words))], " ")
}
