//go:build !cgo || noxla

package device

import (
	"errors"

	"github.com/gomlx/compute"
)

const xlaLinked = false

func openPlugin(string, string) (compute.Backend, string, error) {
	return nil, "", errors.New("this binary cannot load XLA plugins: install a C compiler and build with cgo, without -tags=noxla")
}
