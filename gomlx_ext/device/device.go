// Package device opens a GoMLX backend by name: what to run on, found and said in one line.
package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend, always there

	_ "github.com/mmiln/workbench/gomlx_ext/simdpath" // which vector instructions that uses
)

// sequential is the pure Go backend as it must be opened: its parallel mode can deadlock on few cores.
const sequential = "go:ops_sequential"

// Open returns the backend for a --backend flag, with a sentence that says what runs and why:
//
//	auto      what GOMLX_BACKEND names where that is set; else XLA where a plugin is found, accelerators first; else pure Go
//	go        pure Go, operations in sequence; go:… with the backend's own options instead
//	xla:cpu, xla:cuda, xla:tpu   that XLA plugin, with go-xla's options after a comma (xla:cuda,tf32=false); xla is xla:cpu
//	/path/to/plugin.so           the XLA plugin of that file; xla:/path/to/plugin.so too
//
// GOMLX_BACKEND takes the same names. auto falls back where a plugin does not work, and says so; a backend that is named does
// not. Errors name the places that were searched and how to get a plugin.
func Open(name string) (compute.Backend, string, error) {
	if name != "" && name != "auto" {
		return named("--backend", name)
	}
	wanted := os.Getenv(compute.ConfigEnvVar)
	if wanted == "" || wanted == "auto" {
		return openAuto()
	}
	backend, note, err := named(compute.ConfigEnvVar, wanted)
	if err != nil {
		return nil, "", err
	}
	return backend, fmt.Sprintf("%s (as %s says)", note, compute.ConfigEnvVar), nil
}

// named opens the backend that a setting names.
func named(setting, name string) (compute.Backend, string, error) {
	plugin, isXLA := strings.CutPrefix(name, "xla:")
	plugin, options, _ := strings.Cut(plugin, ",")
	switch {
	case name == "go":
		return openGo(sequential, "")
	case strings.HasPrefix(name, "go:"):
		return openGo(name, "")
	case name == "xla":
		return openPlatform("cpu", "")
	case filepath.IsAbs(plugin) || strings.HasSuffix(plugin, ".so"):
		return openFile(setting, plugin, options)
	case isXLA:
		return openPlatform(plugin, options)
	}
	return nil, "", fmt.Errorf("%s %q is unknown: use auto, go, xla:cpu, xla:cuda, xla:tpu or the path of a PJRT plugin", setting, name)
}

// openAuto takes the first plugin that works.
func openAuto() (compute.Backend, string, error) {
	if !xlaLinked {
		return openGo(sequential, " (this binary is built without XLA)")
	}
	plugins := Plugins()
	if len(plugins) == 0 {
		return openGo(sequential, " (no XLA plugin found; `mmiln doctor` says how to get one)")
	}
	var failed string
	for _, plugin := range plugins {
		backend, note, err := openPlugin(plugin.Path, "")
		if err == nil {
			return backend, note + failed, nil
		}
		failed += fmt.Sprintf(" (%s failed: %s)", plugin.Name, firstLine(err))
	}
	return openGo(sequential, failed)
}

func openGo(config, why string) (compute.Backend, string, error) {
	backend, err := compute.NewWithConfig(config)
	if err != nil {
		return nil, "", fmt.Errorf("the pure Go backend does not take %q: %s", config, firstLine(err))
	}
	simd := "with SIMD"
	if !SIMD {
		simd = "without SIMD: build with GOEXPERIMENT=simd"
	}
	return backend, fmt.Sprintf("pure Go, %s%s", simd, why), nil
}

func openFile(setting, path, options string) (compute.Backend, string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	if info, err := os.Stat(full); err != nil {
		return nil, "", fmt.Errorf("%s %s: %w", setting, path, err)
	} else if info.IsDir() {
		return nil, "", fmt.Errorf("%s %s is a folder: name the plugin in it", setting, path)
	}
	return openPlugin(full, options)
}

func openPlatform(platform, options string) (compute.Backend, string, error) {
	for _, plugin := range Plugins() {
		if plugin.Name == platform {
			return openPlugin(plugin.Path, options)
		}
	}
	return nil, "", fmt.Errorf("no XLA plugin for %q: looked for pjrt_c_api_%s_plugin.so in %s; `make xla` installs the one for the CPU, environment.md says how to get others",
		platform, platform, strings.Join(SearchPath(), ", "))
}

// firstLine is what an error says, without the stack or the log that may follow.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
