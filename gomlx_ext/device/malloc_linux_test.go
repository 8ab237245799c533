package device_test

import (
	"os"
	"syscall"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

func TestXLATakesItsMemoryFromTheKernelOnce(t *testing.T) {
	alone(t)
	cpuPlugin(t)
	if os.Getenv("GLIBC_TUNABLES") != "" {
		t.Skip("the environment says how memory is kept")
	}
	backend, _, err := device.Open("xla:cpu")
	require.NoError(t, err)
	const width, pages = 4096, 16384 // of a product of 64 MiB, beyond what glibc keeps by default
	products := MustNewExec(backend, func(x *Node) *Node {
		thin := BroadcastToDims(x, width, 4)
		wide := Tanh(Dot(thin, Transpose(thin, 0, 1)).Product())
		return ReduceAllSum(Dot(wide, thin).Product())
	})
	const runs = 5
	faults := func() (count int64) {
		before := pageFaults(t)
		for range runs {
			products.MustCall(float32(1e-3))
		}
		return pageFaults(t) - before
	}
	faults() // at first it has to
	require.Less(t, min(faults(), faults()), int64(runs*pages/2))
}

func pageFaults(t *testing.T) int64 {
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Minflt
}
