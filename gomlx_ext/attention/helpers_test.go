package attention_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
)

// normal is a tensor of standard normal values, the same for the same dimensions.
func normal(dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(1, uint64(len(dims))))
	size := 1
	for _, dim := range dims {
		size *= dim
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// run executes a graph with the variables of store.
func run(t testing.TB, backend compute.Backend, store *model.Store, fn func(scope *model.Scope, in []*Node) []*Node, args ...any) []*tensors.Tensor {
	t.Helper()
	outputs, err := model.CallOnceN(backend, store, fn, args...)
	require.NoError(t, err)
	return outputs
}

// train makes the graph of scope one of training, with a fixed dropout seed.
func train(scope *model.Scope, g *Graph) {
	scope.Store().SetTraining(g, true)
	dropout.SetSeed(g, Const(g, uint32(42)))
}

func flat(t *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](t) }

// close requires equal shapes and values within tolerance.
func closeTo(t testing.TB, want, got *tensors.Tensor, tolerance float64, name string) {
	t.Helper()
	require.Equal(t, want.Shape().Dimensions, got.Shape().Dimensions, name)
	require.InDeltaSlice(t, flat(want), flat(got), tolerance, name)
}

func pureGo(t testing.TB) compute.Backend {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	return backend
}
