//go:build !cgo || noxla || !(linux || darwin)

package plugin

import (
	"errors"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

func open(string, *compilecache.Cache) (uintptr, error) {
	return 0, errors.New("this binary cannot stand between GoMLX and a plugin")
}
