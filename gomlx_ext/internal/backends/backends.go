// Package backends runs a test on every backend of this machine.
package backends

import (
	"testing"

	"github.com/gomlx/compute"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

// Each runs a test on pure Go, and on XLA for CPUs where it is installed.
func Each(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	t.Helper()
	for _, name := range []string{"go", "xla:cpu"} {
		t.Run(name, func(t *testing.T) {
			backend, _, err := device.Open(name)
			if err != nil {
				t.Skipf("no backend %s here: %v", name, err)
			}
			test(t, backend)
		})
	}
}
