package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// withCache runs the program in a process of its own with MMILN_CACHE set, and returns what it printed.
func withCache(t *testing.T, cache string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), asProgram+"=1", compilecache.Variable+"="+cache)
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// cpuPlugin is the path of the XLA plugin for CPUs, found before a test changes its folder.
func cpuPlugin(t *testing.T) string {
	t.Helper()
	for _, p := range device.Plugins() {
		if p.Name == "cpu" && device.Describe().XLA {
			return p.Path
		}
	}
	t.Skip("no XLA plugin for the CPU: `make xla` installs it")
	return ""
}

func cost(t *testing.T, dir string) record.Cost {
	t.Helper()
	reader, err := record.Open(dir)
	require.NoError(t, err)
	return reader.Manifest().Cost
}

// The model has two absent modalities, whose places in the graph must not depend on the order of a map either.
func TestARunIsTheSameToTheByteWithKeptProgramsAndWithout(t *testing.T) {
	plugin := cpuPlugin(t)
	workplace(t, 1)
	withCache(t, "off", "train", "tiny.toml", "--backend", plugin, "--runs", "off", "--set", `mmiln.drop=["audio","vision"]`)
	first := runIn(t, "off")
	for i, runs := range []string{"cold", "warm"} {
		assert.Contains(t, withCache(t, "programs", "rerun", first, "--backend", plugin, "--runs", runs), "every byte is the same")
		c := cost(t, runIn(t, runs))
		assert.Equal(t, []int{2 - 2*i, 2 * i}, []int{c.Compiled, c.Loaded}, "%s: compiled, loaded", runs)
	}
}

func TestAResumedRunLoadsItsPrograms(t *testing.T) {
	plugin := cpuPlugin(t)
	workplace(t, 5000)
	t.Setenv(compilecache.Variable, "programs")
	p := start(t, "train", "tiny.toml", "--backend", plugin, "--set", `mmiln.drop=["audio"]`)
	p.await("epoch   1")
	require.NoError(t, p.command.Process.Signal(os.Interrupt))
	last, code := p.end()
	require.Equal(t, 130, code, last)
	dir := runFolder(t)
	p = start(t, "resume", dir, "--backend", plugin)
	p.await("epoch")
	require.NoError(t, p.command.Process.Signal(os.Interrupt))
	last, code = p.end()
	require.Equal(t, 130, code, last)
	c := cost(t, dir)
	assert.Equal(t, []int{2, 2}, []int{c.Compiled, c.Loaded}, "compiled at first, loaded by resume")
}

func TestTheCacheIsShownAndCleared(t *testing.T) {
	t.Setenv(compilecache.Variable, t.TempDir())
	cache, err := compilecache.Default()
	require.NoError(t, err)
	for _, program := range []string{"one", "another"} {
		require.NoError(t, cache.Store(compilecache.NewKey([]byte(program)), []byte(program)))
	}
	require.NoError(t, cache.Close())
	assert.Contains(t, succeed(t, "cache"), cache.Dir()+": 2 programs, 0.0 of 2000 MB, used since ")
	assert.Equal(t, 2, decoded[cached](t, "cache").Programs)
	assert.Contains(t, succeed(t, "cache", "--clear"), "removed 2 programs")
	assert.Contains(t, succeed(t, "cache"), "0 programs")
	t.Setenv(compilecache.Variable, "off")
	_, _, err = run(t, "cache")
	assert.ErrorContains(t, err, "MMILN_CACHE is off")
}
