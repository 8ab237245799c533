//go:build cgo && !noxla

package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// xlaLinked says whether this binary can load XLA plugins. It needs cgo.
const xlaLinked = true

// open loads a plugin. What is found on this machine is used as it is: nothing is downloaded behind the user's back.
func open(plugin, path string) (compute.Backend, string, error) {
	xla.EnableAutoInstall(false)
	config := plugin
	if plugin == path && strings.Contains(filepath.Base(path), "cpu") {
		// go-xla shares buffers with the host by the plugin's name; a path has none.
		config += ",shared_buffers"
	}
	if !filepath.IsAbs(plugin) && os.Getenv(pluginPathVariable) == "" {
		config = path
		if plugin == "cpu" {
			config += ",shared_buffers"
		}
	}
	backend, err := xla.New(config)
	if err != nil {
		return nil, "", fmt.Errorf("loading the XLA plugin %s: %w", path, err)
	}
	return backend, fmt.Sprintf("XLA, %s", path), nil
}
