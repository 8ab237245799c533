// Package device opens a GoMLX backend by name: what to run on, found and said in one line.
package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend, always there
)

// sequential is the pure Go backend as it must be opened: its parallel mode can deadlock on few cores.
const sequential = "go:ops_sequential"

// Open returns the backend for a --backend flag, with a sentence that says what runs and why:
//
//	auto      XLA where a plugin is found, else pure Go
//	go        pure Go, operations in sequence
//	xla:cpu, xla:cuda, xla:tpu   that XLA plugin
//	/path/to/plugin.so           the XLA plugin of that file
//
// An error names the places that were searched and how to get a plugin.
func Open(name string) (compute.Backend, string, error) {
	switch {
	case name == "" || name == "auto":
		return openAuto()
	case name == "go":
		return openGo("")
	case filepath.IsAbs(name) || strings.HasSuffix(name, ".so"):
		return openFile(name)
	case name == "xla":
		return openXLA("cpu")
	case strings.HasPrefix(name, "xla:"):
		return openXLA(strings.TrimPrefix(name, "xla:"))
	}
	return nil, "", fmt.Errorf("--backend %q is unknown: use auto, go, xla:cpu, xla:cuda, xla:tpu or the path of a PJRT plugin", name)
}

func openAuto() (compute.Backend, string, error) {
	plugins := Plugins()
	if len(plugins) == 0 || !xlaLinked {
		return openGo(" (no XLA plugin found; `mmiln doctor` says how to get one)")
	}
	backend, note, err := openXLA(plugins[0].Name)
	if err == nil {
		return backend, note, nil
	}
	return openGo(fmt.Sprintf(" (XLA failed: %v)", err))
}

func openGo(why string) (compute.Backend, string, error) {
	backend, err := compute.NewWithConfig(sequential)
	if err != nil {
		return nil, "", fmt.Errorf("opening the pure Go backend: %w", err)
	}
	simd := "with SIMD"
	if !SIMD {
		simd = "without SIMD: build with GOEXPERIMENT=simd"
	}
	return backend, fmt.Sprintf("pure Go, %s%s", simd, why), nil
}

func openFile(path string) (compute.Backend, string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	if _, err := os.Stat(full); err != nil {
		return nil, "", fmt.Errorf("--backend %s: %w", path, err)
	}
	return open(full, full)
}

func openXLA(platform string) (compute.Backend, string, error) {
	for _, plugin := range Plugins() {
		if plugin.Name == platform {
			return open(platform, plugin.Path)
		}
	}
	return nil, "", fmt.Errorf("no XLA plugin for %q: looked for pjrt_c_api_%s_plugin.so in %s; `make xla` installs the one for the CPU, environment.md says how to get others",
		platform, platform, strings.Join(SearchPath(), ", "))
}
