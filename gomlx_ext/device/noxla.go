//go:build !cgo || noxla

package device

import (
	"errors"

	"github.com/gomlx/compute"
)

const xlaLinked = false

func open(string, string) (compute.Backend, string, error) {
	return nil, "", errors.New("this binary was built without cgo and cannot load XLA plugins: install a C compiler and build again")
}
