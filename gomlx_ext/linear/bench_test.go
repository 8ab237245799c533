package linear_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/peer"
)

// Products of MMILN at d_s 128: 16 texts of 50 steps, 16 videos of 500, and the widths that its layers have.
var productSizes = [][3]int{
	{800, 768, 128}, {800, 128, 128}, {800, 128, 384}, {800, 128, 512}, {800, 512, 128},
	{8000, 128, 128}, {8000, 128, 384}, {8000, 128, 512}, {8000, 512, 128},
}

const productRepeats = 8

// BenchmarkProductsAgainstTorch times the three products of a linear layer, as package linear has them and as PyTorch has them, in
// turns, and reports GFLOP/s of both: what the processor gives at the model's own sizes. $MMILN_PYTHON names a Python with torch.
func BenchmarkProductsAgainstTorch(b *testing.B) {
	torch := peer.Start(b, "testdata/torch_products.py")
	for _, size := range productSizes {
		rows, in, out := size[0], size[1], size[2]
		products := map[string]func() time.Duration{
			"y":  timedProduct(b, []int{rows, in}, []int{in, out}, 1, 0),
			"dx": timedProduct(b, []int{rows, out}, []int{in, out}, 1, 1),
			"dw": timedProduct(b, []int{rows, in}, []int{rows, out}, 0, 0),
		}
		b.Run(fmt.Sprintf("%dx%dx%d", rows, in, out), func(b *testing.B) {
			times, theirs := map[string][]time.Duration{}, map[string][]time.Duration{}
			for b.Loop() {
				for i, word := range torch.Ask(rows, in, out) {
					name := []string{"y", "dx", "dw"}[i]
					theirs[name] = append(theirs[name], peer.Seconds(b, word))
				}
				for name, product := range products {
					times[name] = append(times[name], product())
				}
			}
			billions := 2e-9 * float64(rows) * float64(in) * float64(out)
			for name := range products {
				b.ReportMetric(billions/peer.Quartile(times[name]), name+"-GFLOP/s")
				b.ReportMetric(billions/peer.Quartile(theirs[name]), name+"-torch")
			}
		})
	}
}

// timedProduct multiplies several left operands by one right one, contracting the given axes, and returns the time of one.
func timedProduct(b *testing.B, left, right []int, leftAxis, rightAxis int) func() time.Duration {
	backend, _, err := device.Open(os.Getenv("MMILN_BACKEND"))
	require.NoError(b, err)
	exec, err := NewExec(backend, func(in []*Node) []*Node {
		var out []*Node
		for _, x := range in[1:] {
			out = append(out, Dot(x, in[0]).General([]int{leftAxis}, nil, []int{rightAxis}, nil))
		}
		return out
	})
	require.NoError(b, err)
	operands := []any{noise(right)}
	for range productRepeats {
		operands = append(operands, noise(left))
	}
	run := func() time.Duration {
		start := time.Now()
		results, err := exec.Call(operands...)
		took := time.Since(start)
		require.NoError(b, err)
		for _, result := range results {
			result.MustFinalizeAll()
		}
		return took / productRepeats
	}
	run()
	run()
	return run
}

func noise(dims []int) *tensors.Tensor {
	values := make([]float32, dims[0]*dims[1])
	for i := range values {
		values[i] = float32(rand.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}
