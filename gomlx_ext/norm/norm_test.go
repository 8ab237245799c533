package norm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/norm"
)

func TestRowsHaveMeanZeroAndVarianceOne(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		y := model.MustCallOnce(backend, model.NewStore(), norm.LayerNorm, [][]float32{{1, 2, 3, 4}, {-5, 0, 5, 100}})
		for _, row := range y.Value().([][]float32) {
			sum, squares := 0.0, 0.0
			for _, v := range row {
				sum += float64(v)
				squares += float64(v) * float64(v)
			}
			assert.InDelta(t, 0, sum, 1e-5)
			assert.InDelta(t, 4, squares, 1e-4)
		}
	})
}

func TestAConstantRowBecomesTheOffset(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		store.VariableWithValue("/gain", []float32{2, 3})
		store.VariableWithValue("/offset", []float32{0.5, -1})
		y := model.MustCallOnce(backend, store, norm.LayerNorm, [][]float32{{7, 7}})
		assert.Equal(t, [][]float32{{0.5, -1}}, y.Value())
	})
}

// Finite differences of Σ w ⊙ LayerNorm(x), in float32 with a step to suit.
func TestGradientMatchesFiniteDifferences(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		loss := func(scope *model.Scope, x *Node) *Node {
			return ReduceAllSum(Mul(norm.LayerNorm(scope, x), Sin(IotaFull(x.Graph(), x.Shape()))))
		}
		store := model.NewStore()
		value, err := model.NewExec(backend, store, loss)
		require.NoError(t, err)
		gradient, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) *Node { return Gradient(loss(scope, x), x)[0] })
		require.NoError(t, err)
		x := []float32{0.3, -1.2, 0.8, 2, 0.1, 0.4, -0.7, 1.1}
		at := func(x []float32) float64 {
			return float64(tensors.ToScalar[float32](value.MustCall(tensors.FromFlatDataAndDimensions(x, 2, 4))[0]))
		}
		got := tensors.MustCopyFlatData[float32](gradient.MustCall(tensors.FromFlatDataAndDimensions(x, 2, 4))[0])
		const h = 1.0 / 64
		for i, v := range x {
			x[i] = v + h
			above := at(x)
			x[i] = v - h
			below := at(x)
			x[i] = v
			assert.InDelta(t, (above-below)/(2*h), got[i], 2e-3*math.Max(1, math.Abs(float64(got[i]))), "element %d", i)
		}
	})
}

func ExampleLayerNorm() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	y := model.MustCallOnce(backend, model.NewStore(), norm.LayerNorm, [][]float32{{1, 3}})
	fmt.Printf("%.3f\n", y.Value())
	// Output: [[-1.000 1.000]]
}
