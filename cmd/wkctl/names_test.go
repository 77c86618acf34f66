package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The image has one file with two names.
func TestCalledByTheDaemonsNameItIsTheDaemon(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program")
	}
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", at("wkctl"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.Symlink("wkctl", at("watchkeeper")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"wkctl": "wkctl [command]", "watchkeeper": "It takes no arguments"} {
		out, err := exec.CommandContext(t.Context(), at(name), "--help").CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s --help: want %q, got %v\n%s", name, want, err, out)
		}
	}
}
