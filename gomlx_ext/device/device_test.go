package device_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

const (
	backendVariable = "GOMLX_BACKEND"
	pathVariable    = "PJRT_PLUGIN_LIBRARY_PATH"

	pureGo = "Go Backend" // its Name
)

// alone makes the environment say nothing.
func alone(t *testing.T) {
	t.Setenv(backendVariable, "")
	t.Setenv(pathVariable, "")
}

// cpuPlugin is the path of the plugin for the CPU; without one the test is skipped.
func cpuPlugin(t *testing.T) string {
	needsXLA(t)
	for _, plugin := range device.Plugins() {
		if plugin.Name == "cpu" {
			return plugin.Path
		}
	}
	t.Skip("no XLA plugin for the CPU: `make xla` installs it")
	return ""
}

func needsXLA(t *testing.T) {
	if !device.Describe().XLA {
		t.Skip("this binary is built without XLA")
	}
}

// pluginFolder is a folder of files with plugins' names that are none, and of the CPU's where linked is its path.
func pluginFolder(t *testing.T, linked string, broken ...string) string {
	folder := t.TempDir()
	for _, name := range broken {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("not a library"), 0o600))
	}
	if linked != "" {
		require.NoError(t, os.Symlink(linked, filepath.Join(folder, "pjrt_c_api_cpu_plugin.so")))
	}
	return folder
}

func requireWorks(t *testing.T, backend compute.Backend) {
	t.Helper()
	sum := MustNewExec(backend, func(x *Node) *Node { return ReduceAllSum(Square(x)) })
	got, err := sum.Call([]float32{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, float32(14), got[0].Value())
}

func TestGoIsThePureGoBackend(t *testing.T) {
	alone(t)
	backend, note, err := device.Open("go")
	require.NoError(t, err)
	require.Contains(t, note, "pure Go, with")
	require.Equal(t, pureGo, backend.Name())
	requireWorks(t, backend)
}

func TestEveryNameOfTheCPUPluginOpensIt(t *testing.T) {
	alone(t)
	path := cpuPlugin(t)
	for _, name := range []string{"xla", "xla:cpu", "xla:cpu,shared_buffers", path, "xla:" + path} {
		backend, note, err := device.Open(name)
		require.NoError(t, err, name)
		require.Equal(t, "XLA, "+path, note)
		require.Equal(t, "xla", backend.Name())
		requireWorks(t, backend)
	}
}

func TestXLASharesTheHostsMemoryOnTheCPU(t *testing.T) {
	alone(t)
	cpuPlugin(t)
	backend, _, err := device.Open("xla:cpu")
	require.NoError(t, err)
	require.True(t, backend.HasSharedBuffers())
}

func TestFlagsOfTheEnvironmentStand(t *testing.T) {
	alone(t)
	cpuPlugin(t)
	const level, extra = "--xla_backend_optimization_level=1", "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"
	for given, want := range map[string]string{
		"":                                   level + " " + extra,
		"--xla_backend_optimization_level=3": "--xla_backend_optimization_level=3 " + extra,
		"--xla_backend_extra_options=xla_cpu_of_none=1": "--xla_backend_extra_options=xla_cpu_of_none=1 " + level,
		"--xla_llvm_disable_expensive_passes=false":     "--xla_llvm_disable_expensive_passes=false " + level + " " + extra,
	} {
		t.Setenv("XLA_FLAGS", given)
		_, _, err := device.Open("xla:cpu")
		require.NoError(t, err)
		require.Equal(t, want, os.Getenv("XLA_FLAGS"))
	}
}

func TestAutoPrefersXLA(t *testing.T) {
	alone(t)
	path := cpuPlugin(t)
	for _, name := range []string{"", "auto"} {
		backend, note, err := device.Open(name)
		require.NoError(t, err)
		require.Contains(t, note, path)
		require.Equal(t, "xla", backend.Name())
	}
}

func TestAutoIsPureGoWhereThereIsNoPlugin(t *testing.T) {
	needsXLA(t)
	alone(t)
	t.Setenv(pathVariable, t.TempDir())
	backend, note, err := device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, pureGo, backend.Name())
	require.Contains(t, note, "no XLA plugin found; `mmiln doctor` says how to get one")
}

func TestAutoFallsBackFromABrokenAccelerator(t *testing.T) {
	alone(t)
	t.Setenv(pathVariable, pluginFolder(t, cpuPlugin(t), "pjrt_c_api_cuda_plugin.so"))
	backend, note, err := device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, "xla", backend.Name())
	require.Contains(t, note, "cpu_plugin.so (cuda failed: ")
	require.NotContains(t, note, "\n")
	requireWorks(t, backend)
}

func TestAutoFallsBackToPureGo(t *testing.T) {
	needsXLA(t)
	alone(t)
	t.Setenv(pathVariable, pluginFolder(t, "", "pjrt_c_api_cuda_plugin.so", "pjrt_c_api_cpu_plugin.so"))
	backend, note, err := device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, pureGo, backend.Name())
	require.Regexp(t, `^pure Go.*\(cuda failed: .*\) \(cpu failed: .*\)$`, note)
}

func TestAutoHonoursGOMLXBackend(t *testing.T) {
	alone(t)
	t.Setenv(backendVariable, "go")
	backend, note, err := device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, pureGo, backend.Name())
	require.Contains(t, note, "(as GOMLX_BACKEND says)")

	t.Setenv(backendVariable, "go:ops_sequential")
	backend, _, err = device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, pureGo, backend.Name())

}

func TestGOMLXBackendCanNameAPlugin(t *testing.T) {
	alone(t)
	path := cpuPlugin(t)
	t.Setenv(backendVariable, "xla:"+path)
	_, note, err := device.Open("auto")
	require.NoError(t, err)
	require.Equal(t, "XLA, "+path+" (as GOMLX_BACKEND says)", note)
}

func TestAFlagGoesBeforeGOMLXBackend(t *testing.T) {
	alone(t)
	t.Setenv(backendVariable, "no such thing")
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	require.Equal(t, pureGo, backend.Name())
}

func TestErrorsSayWhatToDo(t *testing.T) {
	needsXLA(t)
	empty, broken := t.TempDir(), pluginFolder(t, "", "pjrt_c_api_cpu_plugin.so")
	for name, test := range map[string]struct {
		name, environment, path string
		says                    []string
	}{
		"unknown name":    {"gpu", "", empty, []string{`--backend "gpu" is unknown`, "xla:cpu", "the path of a PJRT plugin"}},
		"unknown setting": {"auto", "torch", empty, []string{`GOMLX_BACKEND "torch" is unknown`}},
		"option of go":    {"go:fast", "", empty, []string{`does not take "go:fast"`}},
		"missing file":    {"/no/such/plugin.so", "", empty, []string{"--backend /no/such/plugin.so", "no such file"}},
		"folder":          {empty, "", empty, []string{"is a folder: name the plugin in it"}},
		"no plugin":       {"xla:cpu", "", empty, []string{`no XLA plugin for "cpu"`, "pjrt_c_api_cpu_plugin.so in " + empty, "make xla"}},
		"no accelerator":  {"xla:tpu", "", empty, []string{"pjrt_c_api_tpu_plugin.so", "environment.md"}},
		"not a library":   {"xla:cpu", "", broken, []string{filepath.Join(broken, "pjrt_c_api_cpu_plugin.so"), "does not load"}},
		"option":          {"xla:cpu,speed=9", "", broken, []string{"speed"}},
		"comma in path":   {"xla:cpu", "", filepath.Join(broken, "a,b"), []string{`no XLA plugin for "cpu"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(backendVariable, test.environment)
			t.Setenv(pathVariable, test.path)
			backend, note, err := device.Open(test.name)
			require.Nil(t, backend)
			require.Empty(t, note)
			for _, text := range test.says {
				require.ErrorContains(t, err, text)
			}
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestPluginsAreFoundInThePathVariable(t *testing.T) {
	first := pluginFolder(t, "", "pjrt_c_api_cpu_v0.83.1_plugin.so", "other.so")
	second := pluginFolder(t, "", "pjrt_c_api_cuda13_plugin.so", "pjrt_c_api_metal_plugin.dylib")
	t.Setenv(pathVariable, first+string(filepath.ListSeparator)+string(filepath.ListSeparator)+second)
	require.Equal(t, []string{first, second}, device.SearchPath())
	require.Equal(t, []device.Plugin{
		{Name: "cuda", Path: filepath.Join(second, "pjrt_c_api_cuda13_plugin.so")},
		{Name: "cpu", Path: filepath.Join(first, "pjrt_c_api_cpu_v0.83.1_plugin.so")},
		{Name: "metal", Path: filepath.Join(second, "pjrt_c_api_metal_plugin.dylib")},
	}, device.Plugins())
}

func TestPluginsAreFoundAboveTheWorkingFolder(t *testing.T) {
	alone(t)
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "deep", "er"), 0o700))
	require.NoError(t, os.Rename(pluginFolder(t, "", "pjrt_c_api_cpu_plugin.so"), filepath.Join(root, ".xla")))
	t.Chdir(filepath.Join(root, "deep", "er"))
	require.Contains(t, device.SearchPath(), filepath.Join(root, ".xla"))
	require.Equal(t, filepath.Join(root, ".xla", "pjrt_c_api_cpu_plugin.so"), device.Plugins()[0].Path)
}

func TestDescribeTellsWhatAutoRunsOn(t *testing.T) {
	alone(t)
	t.Setenv(pathVariable, t.TempDir())
	got := device.Describe()
	require.True(t, got.Works)
	require.Contains(t, got.Backend, "pure Go")
	require.Empty(t, got.Plugins)
	require.Equal(t, device.SearchPath(), got.Searched)
	require.Equal(t, device.SIMD, got.SIMD)
	require.Equal(t, runtime.GOMAXPROCS(0), got.Cores)
}

func TestDescribeTellsWhyAutoDoesNotRun(t *testing.T) {
	alone(t)
	t.Setenv(backendVariable, "torch")
	got := device.Describe()
	require.False(t, got.Works)
	require.Contains(t, got.Backend, "GOMLX_BACKEND")
}

func ExampleOpen() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(backend.Name())
	// Output: Go Backend
}
