package dropout_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
)

func open(t testing.TB, name string) compute.Backend {
	backend, _, err := device.Open(name)
	if err != nil && name != "go" {
		t.Skipf("no %s backend on this machine: %v", name, err)
	}
	require.NoError(t, err)
	return backend
}

// training runs fn in a training graph with the given seed.
func training(t testing.TB, backend string, seed uint32, fn func(scope *model.Scope, g *Graph) []*Node) []*tensors.Tensor {
	outputs, err := model.CallOnceN(open(t, backend), model.NewStore(), func(scope *model.Scope, seed *Node) []*Node {
		scope.Store().SetTraining(seed.Graph(), true)
		dropout.SetSeed(seed.Graph(), seed)
		return fn(scope, seed.Graph())
	}, seed)
	require.NoError(t, err)
	return outputs
}

// mask is ±1 for what Apply keeps and drops of a [rows, columns] tensor, in scope "here" unless scopes says otherwise.
func masks(t testing.TB, backend string, seed uint32, rate float64, rows, columns int, scopes ...string) [][]float64 {
	outputs := training(t, backend, seed, func(scope *model.Scope, g *Graph) (nodes []*Node) {
		for _, name := range scopes {
			x := Ones(g, shapes.Make(dtypes.Float32, rows, columns))
			nodes = append(nodes, dropout.Apply(scope.At("%s", name), x, rate))
		}
		return nodes
	})
	var all [][]float64
	for _, output := range outputs {
		var signs []float64
		for _, value := range tensors.MustCopyFlatData[float32](output) {
			signs = append(signs, 2*math.Ceil(float64(value)/10)-1)
		}
		all = append(all, signs)
	}
	return all
}

func mask(t testing.TB, seed uint32, rate float64, rows, columns int) []float64 {
	return masks(t, "go", seed, rate, rows, columns, "here")[0]
}

// correlation of two masks, in standard deviations of what independent masks would give.
func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma, mb = ma+a[i]/float64(len(a)), mb+b[i]/float64(len(a))
	}
	for i := range a {
		ab, aa, bb = ab+(a[i]-ma)*(b[i]-mb), aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb)
	}
	return math.Abs(ab / math.Sqrt(aa*bb) * math.Sqrt(float64(len(a))))
}

func TestRateIsMet(t *testing.T) {
	for _, rate := range []float64{0.05, 0.1, 0.3, 0.5, 0.9} {
		var sum float64
		signs := mask(t, 1, rate, 1000, 1000)
		for _, sign := range signs {
			sum += (1 - sign) / 2
		}
		n := float64(len(signs))
		assert.InDelta(t, rate, sum/n, 4*math.Sqrt(rate*(1-rate)/n), "rate %g", rate)
	}
}

func TestEveryRowAndColumnDropsAtTheRate(t *testing.T) {
	const size, rate = 512, 0.1
	signs := mask(t, 3, rate, size, size)
	rows, columns := make([]float64, size), make([]float64, size)
	for i, sign := range signs {
		rows[i/size] += (1 - sign) / 2
		columns[i%size] += (1 - sign) / 2
	}
	for name, counts := range map[string][]float64{"rows": rows, "columns": columns} {
		var chi float64
		for _, count := range counts {
			chi += (count - size*rate) * (count - size*rate) / (size * rate * (1 - rate))
		}
		assert.InDelta(t, size, chi, 4*math.Sqrt(2*size), name) // χ² of 512 degrees of freedom
	}
}

func TestNeighboursAreIndependent(t *testing.T) {
	const size = 512
	signs := mask(t, 4, 0.3, size, size)
	for _, lag := range []int{1, 2, 3, 8, 16, size - 1, size, size + 1, 2 * size, 16 * size} {
		assert.Less(t, correlation(signs[lag:], signs[:len(signs)-lag]), 4.0, "lag %d", lag)
	}
}

// An element is a function of a row's and a column's hash; the corners of a rectangle must not betray it.
func TestCornersOfARectangleAreIndependent(t *testing.T) {
	const size = 512
	signs := mask(t, 5, 0.5, size, size)
	at := func(row, column int) float64 { return signs[(row%size)*size+column%size] }
	for _, step := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {8, 16}, {100, 37}} {
		var sum float64
		for i := range signs {
			row, column := i/size, i%size
			sum += at(row, column) * at(row+step[0], column) * at(row, column+step[1]) * at(row+step[0], column+step[1])
		}
		assert.Less(t, math.Abs(sum)/size, 4.0, "step %v", step)
	}
}

func TestPlacesAreIndependent(t *testing.T) {
	all := masks(t, "go", 6, 0.3, 300, 300, "a", "b", "layers.0", "layers.1", "a")
	for i := range all {
		for j := range i {
			assert.Less(t, correlation(all[i], all[j]), 4.0, "places %d and %d", j, i)
		}
	}
}

func TestStepsAreIndependent(t *testing.T) {
	var all [][]float64
	for _, seed := range []uint32{0, 1, 2, 3, 1 << 16, 1 << 31, math.MaxUint32} {
		all = append(all, mask(t, seed, 0.3, 300, 300))
	}
	for i := range all {
		for j := range i {
			assert.Less(t, correlation(all[i], all[j]), 4.0, "seeds %d and %d", j, i)
		}
	}
}

func TestMaskIsAFunctionOfTheSeed(t *testing.T) {
	assert.Equal(t, mask(t, 7, 0.1, 50, 50), mask(t, 7, 0.1, 50, 50))
	assert.NotEqual(t, mask(t, 7, 0.1, 50, 50), mask(t, 8, 0.1, 50, 50))
}

func TestBackendsAgreeOnEveryBit(t *testing.T) {
	for _, rate := range []float64{0.1, 0.37} {
		assert.Equal(t, masks(t, "go", 9, rate, 200, 333, "here"), masks(t, "xla:cpu", 9, rate, 200, 333, "here"))
	}
}

func TestABlockHasItsPartOfTheWholeMask(t *testing.T) {
	outputs := training(t, "go", 10, func(scope *model.Scope, g *Graph) []*Node {
		site := dropout.NewSite(scope, g, 0.5)
		whole := site.Keep(dropout.Positions(g, 0, 0, 20, 1), dropout.Positions(g, 0, 1, 1, 30))
		block := site.Keep(dropout.Positions(g, 5, 0, 10, 1), dropout.Positions(g, 7, 1, 1, 12))
		return []*Node{Slice(whole, AxisRange(5, 15), AxisRange(7, 19)), block}
	})
	assert.Equal(t, outputs[0].Value(), outputs[1].Value())
}

func TestColumnsHashedOnTheHostAreThoseOfTheGraph(t *testing.T) {
	outputs := training(t, "go", 10, func(scope *model.Scope, g *Graph) []*Node {
		site := dropout.NewSite(scope, g, 0.5)
		return []*Node{site.AllColumns(g, 2, 30), site.Columns(dropout.Positions(g, 0, 1, 1, 30))}
	})
	assert.Equal(t, outputs[1].Value(), outputs[0].Value())
}

// All places of a step have the rows' hashes in common; two rows of one place and the same of another must not betray it.
func TestRowsOfTwoPlacesAreIndependent(t *testing.T) {
	const size = 512
	all := masks(t, "go", 13, 0.5, size, size, "a", "b")
	for _, step := range []int{1, 2, 8, 100} {
		var sum float64
		for i := range all[0] {
			below := (i + step*size) % (size * size)
			sum += all[0][i] * all[0][below] * all[1][i] * all[1][below]
		}
		assert.Less(t, math.Abs(sum)/size, 4.0, "step %d", step)
	}
}

func TestKeptElementsAreScaledSoThatTheMeanStays(t *testing.T) {
	outputs := training(t, "go", 11, func(scope *model.Scope, g *Graph) []*Node {
		return []*Node{dropout.Apply(scope, Ones(g, shapes.Make(dtypes.Float32, 10, 10)), 0.2)}
	})
	for _, value := range tensors.MustCopyFlatData[float32](outputs[0]) {
		assert.Contains(t, []float32{0, 1.25}, value)
	}
}

func TestGradientHasTheMaskOfTheForwardPass(t *testing.T) {
	for _, backend := range []string{"go", "xla:cpu"} {
		outputs := training(t, backend, 12, func(scope *model.Scope, g *Graph) []*Node {
			x := Ones(g, shapes.Make(dtypes.Float32, 40, 40))
			dropped := dropout.Apply(scope, x, 0.4)
			return []*Node{dropped, Gradient(ReduceAllSum(dropped), x)[0]}
		})
		assert.Equal(t, outputs[0].Value(), outputs[1].Value())
	}
}

func TestEvaluationDropsNothing(t *testing.T) {
	x := []float32{1, 2, 3}
	got, err := model.CallOnce(open(t, "go"), model.NewStore(), func(scope *model.Scope, x *Node) *Node {
		return dropout.Apply(scope, x, 0.5)
	}, x)
	require.NoError(t, err)
	assert.Equal(t, x, got.Value())
}

func TestTrainingWithoutASeedSaysWhatToCall(t *testing.T) {
	_, err := model.CallOnce(open(t, "go"), model.NewStore(), func(scope *model.Scope, x *Node) *Node {
		scope.Store().SetTraining(x.Graph(), true)
		return dropout.Apply(scope.In("ffn"), x, 0.5)
	}, []float32{1})
	require.ErrorContains(t, err, "no seed at /ffn: call dropout.SetSeed")
}

func TestARateOutsideOfZeroToOneIsRefused(t *testing.T) {
	for _, rate := range []float64{-0.1, 1, 2, math.NaN()} {
		_, err := model.CallOnce(open(t, "go"), model.NewStore(), func(scope *model.Scope, x *Node) *Node {
			return dropout.Apply(scope, x, rate)
		}, []float32{1})
		require.ErrorContains(t, err, "must be at least 0 and below 1")
	}
}
