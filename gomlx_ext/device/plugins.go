package device

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// pluginPathVariable is where go-xla looks for plugins, a list of folders.
const pluginPathVariable = "PJRT_PLUGIN_LIBRARY_PATH"

// Plugin is one PJRT plugin found on this machine.
type Plugin struct {
	Name string // platform: cpu, cuda, tpu
	Path string // absolute
}

var pluginFile = regexp.MustCompile(`^pjrt_c_api_([a-z]+)\d*(?:_v?[0-9.]+)?_plugin\.(?:so|dylib)$`)

// Plugins lists the plugins in [SearchPath], accelerators first.
func Plugins() []Plugin {
	var found []Plugin
	for _, folder := range SearchPath() {
		entries, _ := os.ReadDir(folder) // a folder that is not there holds no plugin
		for _, entry := range entries {
			if match := pluginFile.FindStringSubmatch(entry.Name()); match != nil {
				found = append(found, Plugin{Name: match[1], Path: filepath.Join(folder, entry.Name())})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Plugin) int { return rank(a.Name) - rank(b.Name) })
	return found
}

func rank(platform string) int {
	if i := slices.Index([]string{"cuda", "tpu", "cpu"}, platform); i >= 0 {
		return i
	}
	return 3
}

// SearchPath lists the folders searched for plugins: $PJRT_PLUGIN_LIBRARY_PATH when set; else .xla beside the binary, in the
// working folder or a parent of it (where `make xla` puts it), then GoMLX's own places.
func SearchPath() []string {
	if list := os.Getenv(pluginPathVariable); list != "" {
		return absolute(filepath.SplitList(list))
	}
	var folders []string
	if executable, err := os.Executable(); err == nil {
		folders = append(folders, upwards(filepath.Dir(executable))...)
	}
	if working, err := os.Getwd(); err == nil {
		folders = append(folders, upwards(working)...)
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local", "lib", "go-xla"))
	}
	folders = append(folders, "/usr/local/lib/go-xla")
	return unique(folders)
}

// upwards lists the .xla folders that exist in dir and its parents.
func upwards(dir string) []string {
	var found []string
	for {
		candidate := filepath.Join(dir, ".xla")
		if info, err := os.Stat(candidate); err == nil && info.IsDir() {
			found = append(found, candidate)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return found
		}
		dir = parent
	}
}

// absolute drops empty entries of a list of folders, and makes the others absolute.
func absolute(folders []string) []string {
	var out []string
	for _, folder := range folders {
		if full, err := filepath.Abs(folder); folder != "" && err == nil {
			out = append(out, full)
		}
	}
	return out
}

func unique(list []string) []string {
	var out []string
	for _, item := range list {
		if !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}
