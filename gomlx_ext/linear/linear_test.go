package linear_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// known is a layer from 2 to 3 features whose weights can be multiplied by hand.
func known() *model.Store {
	store := model.NewStore()
	store.VariableWithValue("/weights", [][]float32{{1, 2, 3}, {10, 20, 30}})
	store.VariableWithValue("/bias", []float32{0.5, 0, -0.5})
	return store
}

func TestDenseIsAMatrixProductAndABias(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		y := model.MustCallOnce(backend, known(), func(scope *model.Scope, x *Node) *Node {
			return linear.Dense(scope, x, 3)
		}, [][][]float32{{{1, 1}, {2, 0}}})
		assert.Equal(t, [][][]float32{{{11.5, 22, 32.5}, {2.5, 4, 5.5}}}, y.Value())
	})
}

func TestNoBiasHasNone(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		model.MustCallOnce(backend, store, func(scope *model.Scope, x *Node) *Node { return linear.NoBias(scope, x, 3) }, [][]float32{{1, 1}})
		require.Equal(t, 1, store.NumVariables())
	})
}

// The gradient of Σ y in the weights is Σ x over everything but the features, and in the bias the number of rows.
func TestGradientsAreThoseOfTheProduct(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		gradients := model.MustCallOnceN(backend, known(), func(scope *model.Scope, x *Node) []*Node {
			y := ReduceAllSum(linear.Dense(scope, x, 3))
			weights, bias := scope.GetVariable("weights").NodeValue(x), scope.GetVariable("bias").NodeValue(x)
			return Gradient(y, x, weights, bias)
		}, [][][]float32{{{1, 1}, {2, 0}}, {{3, 5}, {0, 0}}})
		assert.Equal(t, [][][]float32{{{6, 60}, {6, 60}}, {{6, 60}, {6, 60}}}, gradients[0].Value())
		assert.Equal(t, [][]float32{{6, 6, 6}, {6, 6, 6}}, gradients[1].Value())
		assert.Equal(t, []float32{4, 4, 4}, gradients[2].Value())
	})
}

func ExampleDense() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	y := model.MustCallOnce(backend, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
		return linear.Dense(scope.In("hidden"), x, 8)
	}, tensors.FromValue([][]float32{{1, 2, 3}}))
	fmt.Println(y.Shape())
	// Output: (Float32)[1, 8]
}
