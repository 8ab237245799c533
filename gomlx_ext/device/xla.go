//go:build cgo && !noxla

package device

import (
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
	if err := compileFast(path); err != nil {
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
		err = putBefore(path, cache)
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

// XLA reads its flags when the first plugin is loaded.
const (
	flagsVariable = "XLA_FLAGS"
	levelFlag     = "--xla_backend_optimization_level"
)

// compileFast lets LLVM optimise at level 1 rather than 3 on CPUs. Of MMILN's step that compiles a quarter to a third faster (22 for
// 30 s of processor time at 50/375/500) and runs as fast (1.55 for 1.57 s): products come from a library, and the rest waits
// for memory. A level in the environment stands.
func compileFast(path string) error {
	flags := os.Getenv(flagsVariable)
	if !strings.Contains(filepath.Base(path), "cpu") || strings.Contains(flags, levelFlag) {
		return nil
	}
	return os.Setenv(flagsVariable, strings.TrimSpace(flags+" "+levelFlag+"=1"))
}

// sharing says whether the device's memory is the host's. go-xla would take it from the whole path.
func sharing(path string) string {
	if strings.Contains(filepath.Base(path), "cpu") {
		return ",shared_buffers"
	}
	return ",noshared_buffers"
}
