//go:build cgo && !noxla

package device

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
	"github.com/mmiln/workbench/gomlx_ext/compilecache/plugin"
	_ "github.com/mmiln/workbench/gomlx_ext/hugepages" // XLA's temporary buffers
)

// xlaLinked says whether this binary can load XLA plugins. It needs cgo.
const xlaLinked = true

// openPlugin loads the plugin of a file, by its path, since go-xla itself looks in fewer places, with go-xla's options.
func openPlugin(path, options string) (compute.Backend, string, error) {
	if strings.Contains(path, ",") {
		return nil, "", fmt.Errorf("the XLA plugin %s has a comma in its path, which go-xla takes for an option: link it elsewhere", path)
	}
	xla.EnableAutoInstall(false) // nothing is fetched behind the user's back
	if !strings.Contains(options, "shared_buffers") {
		options += sharing(path)
	}
	if err := tune(path); err != nil {
		return nil, "", err
	}
	keepPrograms(path)
	backend, err := xla.New(path + "," + options)
	if err != nil {
		return nil, "", fmt.Errorf("the XLA plugin %s does not load: %s", path, firstLine(err))
	}
	return backend, fmt.Sprintf("XLA, %s", path), nil
}

// kept are the plugins that were given to go-xla with a cache of programs before them.
var kept struct {
	sync.Mutex
	paths map[string]bool
}

// keepPrograms lets the plugin of a file keep what it compiles, where that can be; [compilecache.Counted] says why it cannot.
func keepPrograms(path string) {
	kept.Lock()
	defer kept.Unlock()
	if kept.paths[path] {
		return
	}
	cache, err := compilecache.Default()
	if err == nil && cache != nil {
		if err = putBefore(path, cache); err != nil {
			err = errors.Join(err, cache.Close())
		}
	}
	if err != nil {
		compilecache.Count(func(c *compilecache.Counts) { c.Problem = "compiled programs are not kept: " + firstLine(err) })
	}
}

// putBefore gives go-xla a plugin's functions under the plugin's path, by which it then finds them.
func putBefore(path string, cache *compilecache.Cache) error {
	functions, err := plugin.Open(path, cache)
	if err != nil {
		return err
	}
	if err := pjrt.RegisterPreloadedPlugin(path, functions); err != nil {
		return err
	}
	if kept.paths == nil {
		kept.paths = map[string]bool{}
	}
	kept.paths[path] = true
	return nil
}

// flagsVariable is read by XLA when the first plugin is loaded.
const flagsVariable = "XLA_FLAGS"

// cpuFlags are XLA's on CPUs, measured on MMILN's step at 50/375/500:
//   - LLVM optimises at level 1 rather than 3, which compiles a quarter to a third faster and runs as fast: products come from a
//     library, and the rest waits for memory.
//   - Element-wise operations on the same operands become one loop, which takes 3 to 5 % off a step and 6 % off its memory.
var cpuFlags = []string{
	"--xla_backend_optimization_level=1",
	"--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true",
}

// tune sets the flags for a plugin of CPUs. Those that the environment has stand.
func tune(path string) error {
	if !strings.Contains(filepath.Base(path), "cpu") {
		return nil
	}
	flags := os.Getenv(flagsVariable)
	for _, flag := range cpuFlags {
		if name, _, _ := strings.Cut(flag, "="); !strings.Contains(flags, name) {
			flags = strings.TrimSpace(flags + " " + flag)
		}
	}
	return os.Setenv(flagsVariable, flags)
}

// sharing says whether the device's memory is the host's. go-xla would take it from the whole path.
func sharing(path string) string {
	if strings.Contains(filepath.Base(path), "cpu") {
		return ",shared_buffers"
	}
	return ",noshared_buffers"
}
