//go:build cgo && !noxla

package hugepages_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/hugepages"
)

const width = 4096

// products needs two temporary buffers of 64 MiB.
func products(t *testing.T) (run func()) {
	t.Helper()
	backend, _, err := device.Open("xla:cpu")
	if err != nil {
		t.Skipf("no XLA here: %v", err)
	}
	return exec64(t, backend)
}

func exec64(t *testing.T, backend compute.Backend) func() {
	t.Helper()
	exec, err := NewExec(backend, func(x *Node) *Node {
		thin := BroadcastToDims(x, width, 4)
		wide := Tanh(Dot(thin, Transpose(thin, 0, 1)).Product())
		return ReduceAllSum(Dot(wide, thin).Product())
	})
	require.NoError(t, err)
	return func() {
		_, err := exec.Call(float32(1e-3))
		require.NoError(t, err)
	}
}

func TestXLATakesItsMemoryFromTheKernelOnce(t *testing.T) {
	if os.Getenv("GLIBC_TUNABLES") != "" {
		t.Skip("the environment says how memory is kept")
	}
	run := products(t)
	const runs, pages = 5, width * width * 4 / 4096
	faults := func() int64 {
		before := pageFaults(t)
		for range runs {
			run()
		}
		return pageFaults(t) - before
	}
	faults() // at first it has to
	require.Less(t, min(faults(), faults()), int64(runs*pages/8))
}

func pageFaults(t *testing.T) int64 {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Minflt
}

func TestWhatIsKeptIsNoMoreThanWasInUseAndTrimGivesItBack(t *testing.T) {
	run := products(t)
	run()
	// XLA frees its buffers a moment after the results are there.
	require.Eventually(t, func() bool { return hugepages.Usage().Kept >= width*width*4 }, 10*time.Second, time.Millisecond)
	held := hugepages.Usage()
	require.GreaterOrEqual(t, held.Peak, int64(width*width*4))
	require.LessOrEqual(t, held.Live+held.Kept, held.Peak)
	hugepages.Trim()
	require.Equal(t, hugepages.Held{Live: held.Live, Peak: held.Peak}, hugepages.Usage())
	run() // from the system again
}

func TestBlocksOfAllSizesKeepWhatIsWrittenIntoThem(t *testing.T) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler is called cc")
	}
	program := filepath.Join(t.TempDir(), "stress")
	said, err := exec.Command(compiler, "-O2", "-Wall", "-Werror", "-pthread", "-o", program, "testdata/stress.c", "blocks.c", "-ldl").CombinedOutput()
	require.NoError(t, err, string(said))
	said, err = exec.Command(program).CombinedOutput()
	require.NoError(t, err, string(said))
	require.Regexp(t, `live 0 kept \d+ peak \d+\nthen 0\n`, string(said))
}
