package adam

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

// TestPartsChangeNothing takes three steps in one graph and in one graph a variable.
func TestPartsChangeNothing(t *testing.T) {
	backend, _, err := device.Open("auto")
	require.NoError(t, err)
	values := func(bytes, parts int) map[string][]float32 {
		store, random := model.NewStore(), rand.New(rand.NewPCG(1, 2))
		for _, path := range []string{"/a/w", "/b/w", "/c/w"} {
			store.VariableWithValue(path, normal(random, 37))
		}
		o, err := New(Group{Rate: 0.01, Decay: 0.1})
		require.NoError(t, err)
		backward, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) *Node {
			loss := ScalarZero(x.Graph(), x.DType())
			for _, v := range trained(scope) {
				loss = Add(loss, ReduceAllSum(Square(Sub(Mul(x, v.NodeValue(x)), x))))
			}
			o.Accumulate(scope, loss)
			return loss
		})
		require.NoError(t, err)
		applier := o.NewApplier(backend, store)
		applier.bytes = bytes
		for step := range 3 {
			for range 2 {
				_, err := backward.Exec(tensors.FromFlatDataAndDimensions(normal(random, 37), 37))
				require.NoError(t, err)
			}
			require.NoError(t, applier.Apply(step+1))
		}
		assert.Len(t, applier.parts, parts)
		all := map[string][]float32{}
		for v := range store.IterVariables() {
			if v.DType() == dtypes.Float32 {
				all[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
			}
		}
		return all
	}
	whole := values(partBytes, 1)
	assert.Len(t, whole, 12, "three variables, each with two moments and a sum")
	assert.Equal(t, whole, values(1, 3))
}

func normal(random *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}

func TestSplitKeepsOrderAndBounds(t *testing.T) {
	store := model.NewStore()
	var variables []*model.Variable
	for _, floats := range []int{10, 20, 100, 5, 5, 15, 30} {
		path := "/" + string(rune('a'+len(variables)))
		variables = append(variables, store.VariableWithValue(path, tensors.FromFlatDataAndDimensions(make([]float32, floats), floats)))
	}
	var sizes [][]int
	for _, part := range split(variables, 4*30) {
		var of []int
		for _, v := range part {
			of = append(of, v.Shape().Size())
		}
		sizes = append(sizes, of)
	}
	assert.Equal(t, [][]int{{10, 20}, {100}, {5, 5, 15}, {30}}, sizes)
	assert.Empty(t, split(nil, 8))
}
