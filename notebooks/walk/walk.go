// Package walk is what the chapters of the walkthrough share: it finds the repository, shows functions from its source, trains or
// finds the runs that chapters read, and checks answers to exercises. What a chapter teaches it calls itself, from mmiln and the
// packages around it.
//
// In a notebook every cell is a program of its own, so state lies in run folders, below runs/walk of the repository.
package walk

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// RootVariable names the environment variable that says where the repository is; the kernel of `mmiln lab` sets it.
const RootVariable = "MMILN_ROOT"

var moduleLine = regexp.MustCompile(`(?m)^module\s+github\.com/mmiln/workbench\s*$`)

// Root finds the repository: where [RootVariable] says, or at or above the notebook's folder or the working folder.
func Root() (string, error) {
	starts := []string{os.Getenv(RootVariable), os.Getenv("GONB_DIR")}
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	for _, dir := range starts {
		for ; dir != "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && moduleLine.Match(text) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("the repository is not at or above %q; open the notebook where it lies, or set %s", starts, RootVariable)
}

// Must returns a value, or ends the cell's program with the error: nothing after it would make sense.
func Must[T any](value T, err error) T {
	Try(err)
	return value
}

// Try ends the cell's program where there is an error.
func Try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
