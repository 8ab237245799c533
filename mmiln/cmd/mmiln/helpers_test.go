package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data/planted"
)

// asProgram makes the test binary behave as the program, for what only a process of its own can show.
const asProgram = "MMILN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// run executes a command in this process and captures what it prints.
func run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, messages bytes.Buffer
	command := root()
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&messages)
	err = command.ExecuteContext(t.Context())
	return out.String(), messages.String(), err
}

// succeed is run for what must work; it returns what is printed for the user or for a script.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := run(t, args...)
	require.NoError(t, err, "mmiln %s\n%s", strings.Join(args, " "), stderr)
	return stdout
}

// decoded is the JSON that a command prints.
func decoded[T any](t *testing.T, args ...string) T {
	t.Helper()
	var v T
	text := succeed(t, append(args, "--json")...)
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// small is a planted set of 24/8/8 examples of a few steps.
func small() planted.Config {
	return planted.Config{
		Seed: 1, Train: 24, Valid: 8, Test: 8, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}
}

// workplace is an empty folder, with a data set and a configuration of a model that trains in a moment, where commands run.
func workplace(t *testing.T, epochs int) {
	t.Helper()
	t.Chdir(t.TempDir())
	_, err := small().Save("set")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("tiny.toml", []byte(configuration("set", 6, epochs)), 0o644))
}

func configuration(dir string, batch, epochs int) string {
	return fmt.Sprintf(`name = "tiny"
[data]
dir = %q
[train]
batch = %d
update_every = 1
max_epochs = %d
patience = 1000
[mmiln]
width = 8
heads = 2
ffn = 8
layers = 1
audio_hidden = 3
vision_hidden = 3
head = {multimodal = {width = 6}, audio = {width = 4}, vision = {width = 4}}
`, dir, batch, epochs)
}

// runFolder is the only run in the default folder.
func runFolder(t *testing.T) string { return runIn(t, "runs") }

func runIn(t *testing.T, runs string) string {
	t.Helper()
	found, err := filepath.Glob(runs + "/*")
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}
