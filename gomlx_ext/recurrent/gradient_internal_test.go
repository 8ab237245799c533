package recurrent

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

// TestGradientsMatchFiniteDifferences checks every derivative of the scan in float64, which its variables do not have but its
// loops can run in.
func TestGradientsMatchFiniteDifferences(t *testing.T) {
	for _, name := range []string{"go", "xla:cpu"} {
		backend, _, err := device.Open(name)
		if err != nil {
			t.Logf("no %s: %v", name, err)
			continue
		}
		for kind, cell := range cells {
			s := scan{cell: cell, batch: 2, steps: 4, streams: 2, hidden: 3, dtype: dtypes.Float64}
			t.Run(fmt.Sprintf("%s/%d", name, kind), func(t *testing.T) { s.check(t, backend) })
		}
	}
}

func TestGradientsMatchFiniteDifferencesAtTheSmallestSizes(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	for kind, cell := range cells {
		for _, size := range [][4]int{{1, 1, 1, 1}, {1, 3, 2, 1}, {3, 1, 2, 2}, {3, 2, 1, 1}} {
			s := scan{cell: cell, batch: size[0], steps: size[1], streams: size[2], hidden: size[3], dtype: dtypes.Float64}
			t.Run(fmt.Sprintf("%d%v", kind, size), func(t *testing.T) { s.check(t, backend) })
		}
	}
}

// sizes are those of projected, then each stream's weights, then its bias.
func (s scan) sizes() [][]int {
	wide := s.gates * s.hidden
	sizes := [][]int{{s.batch, s.steps, s.streams, wide}}
	for range s.streams {
		sizes = append(sizes, []int{s.hidden, wide})
	}
	for range s.streams {
		sizes = append(sizes, []int{wide})
	}
	return sizes
}

// loss is a function of the sequence and the last state, of examples each of which has a step less than the one before.
func (s scan) loss(in []*Node) *Node {
	g := in[0].Graph()
	lengths := make([]int32, s.batch)
	for b := range lengths {
		lengths[b] = int32(max(0, s.steps-b))
	}
	sequence, last := s.run(inputs{
		projected: in[0], lengths: Const(g, lengths), weights: in[1 : 1+s.streams], bias: in[1+s.streams:],
	})
	loss := ReduceAllSum(Mul(Square(sequence), Sin(IotaFull(g, sequence.Shape()))))
	for _, state := range last {
		loss = Add(loss, ReduceAllSum(Mul(state, Cos(IotaFull(g, state.Shape())))))
	}
	return loss
}

func (s scan) check(t *testing.T, backend compute.Backend) {
	rng := rand.New(rand.NewPCG(5, 5))
	var args []any
	for _, dims := range s.sizes() {
		values := make([]float64, product(dims))
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		args = append(args, tensors.FromFlatDataAndDimensions(values, dims...))
	}
	loss := MustNewExec(backend, s.loss)
	gradients, err := MustNewExec(backend, func(in []*Node) []*Node { return Gradient(s.loss(in), in...) }).Call(args...)
	require.NoError(t, err)
	for i, gradient := range gradients {
		require.InDeltaSlice(t, differences(loss, args, i), tensors.MustCopyFlatData[float64](gradient), 1e-8, "input %d", i)
	}
}

// differences are the central differences of f by each entry of one argument.
func differences(f *Exec, args []any, which int) []float64 {
	const step = 1e-5
	out := make([]float64, args[which].(*tensors.Tensor).Size())
	for i := range out {
		shifted := func(by float64) float64 {
			args := append([]any{}, args...)
			values := tensors.MustCopyFlatData[float64](args[which].(*tensors.Tensor))
			values[i] += by
			args[which] = tensors.FromFlatDataAndDimensions(values, args[which].(*tensors.Tensor).Shape().Dimensions...)
			return tensors.ToScalar[float64](f.MustCall(args...)[0])
		}
		out[i] = (shifted(step) - shifted(-step)) / (2 * step)
	}
	return out
}

func product(dims []int) int {
	size := 1
	for _, dim := range dims {
		size *= dim
	}
	return size
}
