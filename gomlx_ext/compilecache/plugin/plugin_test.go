//go:build cgo && !noxla && (linux || darwin)

package plugin_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
	"github.com/mmiln/workbench/gomlx_ext/compilecache/plugin"
	"github.com/mmiln/workbench/gomlx_ext/device"
)

// TestMain keeps the setting of the environment out: a plugin is given a cache when it is first opened.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "")
	if err == nil {
		err = os.Setenv(compilecache.Variable, dir)
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// use makes dir the cache of the plugin for CPUs.
func use(t *testing.T, dir string) compute.Backend {
	t.Helper()
	backend, _, err := device.Open("xla:cpu")
	if err != nil {
		t.Skipf("no XLA here: %v", err)
	}
	for _, found := range device.Plugins() {
		if found.Name == "cpu" {
			cache, err := compilecache.Open(dir, 1e9)
			require.NoError(t, err)
			_, err = plugin.Open(found.Path, cache)
			require.NoError(t, err)
			break
		}
	}
	return backend
}

// calculate compiles a graph anew and runs it; it returns what was counted meanwhile.
func calculate(t *testing.T, backend compute.Backend) (compiled, loaded int) {
	t.Helper()
	before := compilecache.Counted()
	exec, err := NewExec(backend, func(x *Node) *Node { return ReduceAllSum(Tanh(Dot(x, Transpose(x, 0, 1)).Product())) })
	require.NoError(t, err)
	got, err := exec.Call([][]float32{{1, 2}, {3, -1}})
	require.NoError(t, err)
	require.InDelta(t, 3.5230975, got[0].Value(), 1e-5)
	after := compilecache.Counted()
	return after.Compiled - before.Compiled, after.Loaded - before.Loaded
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.program"))
	require.NoError(t, err)
	return found
}

func requireCounts(t *testing.T, backend compute.Backend, wantCompiled, wantLoaded int) {
	t.Helper()
	compiled, loaded := calculate(t, backend)
	require.Equal(t, []int{wantCompiled, wantLoaded}, []int{compiled, loaded}, "compiled, loaded")
}

func TestAProgramIsCompiledOnceAndThenLoaded(t *testing.T) {
	dir := t.TempDir()
	backend := use(t, dir)
	requireCounts(t, backend, 1, 0)
	require.Len(t, entries(t, dir), 1)
	requireCounts(t, backend, 0, 1)
	requireCounts(t, use(t, dir), 0, 1)
	requireCounts(t, use(t, t.TempDir()), 1, 0)
}

func TestADamagedProgramIsCompiledAgainAndReplaced(t *testing.T) {
	dir := t.TempDir()
	backend := use(t, dir)
	requireCounts(t, backend, 1, 0)
	path := entries(t, dir)[0]
	entry, err := os.ReadFile(path)
	require.NoError(t, err)
	entry[len(entry)/2] ^= 1
	require.NoError(t, os.WriteFile(path, entry, 0o600))
	requireCounts(t, backend, 1, 0)
	require.Contains(t, compilecache.Counted().Problem, "damaged")
	requireCounts(t, backend, 0, 1)
}

// What is whole, but not what a plugin wrote, is refused by the plugin, and compiled.
func TestAProgramThatThePluginDoesNotLoadIsCompiled(t *testing.T) {
	dir := t.TempDir()
	backend := use(t, dir)
	requireCounts(t, backend, 1, 0)
	var key compilecache.Key
	name := filepath.Base(entries(t, dir)[0])
	decodeKey(t, name, key[:])
	cache, err := compilecache.Open(dir, 1e9)
	require.NoError(t, err)
	require.NoError(t, cache.Store(key, []byte("no program of XLA's")))
	requireCounts(t, backend, 1, 0)
	requireCounts(t, backend, 0, 1)
}

func TestAFolderThatTakesNothingStopsNoProgram(t *testing.T) {
	dir := t.TempDir()
	backend := use(t, dir)
	require.NoError(t, os.RemoveAll(dir))
	requireCounts(t, backend, 1, 0)
	require.Contains(t, compilecache.Counted().Problem, "a program was not kept")
	requireCounts(t, backend, 1, 0)
}

func TestWhatIsNoPluginIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pjrt_c_api_cpu_plugin.so")
	require.NoError(t, os.WriteFile(path, []byte("not a library"), 0o600))
	_, err := plugin.Open(path, nil)
	require.Error(t, err)
	_, err = plugin.Open(path+"x", nil)
	require.Error(t, err)
}
