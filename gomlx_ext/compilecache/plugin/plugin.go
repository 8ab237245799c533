// Package plugin puts a cache of compiled programs between GoMLX and a PJRT plugin. PJRT can write a compiled program and load it
// again, on CPUs, CUDA and TPU; go-xla does not ask it to. This package gives go-xla the plugin's functions with one of its own in
// the place of compiling: it looks the program up, and compiles and keeps it where it is not there.
package plugin

import "github.com/mmiln/workbench/gomlx_ext/compilecache"

// Open loads the plugin of a file and returns the address of its functions, for pjrt.RegisterPreloadedPlugin; those of a file that
// was opened before are the same. What it compiles is kept in cache. It is an error where the plugin cannot write programs, or is
// of a version whose functions are not known; it can then be used without this package. Environment variables that the plugin
// reads when it is loaded must be set before.
func Open(path string, cache *compilecache.Cache) (functions uintptr, err error) {
	return open(path, cache)
}
