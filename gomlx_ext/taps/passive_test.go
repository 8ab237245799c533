package taps_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

const batch, steps, width, heads = 4, 12, 32, 4

func open(t *testing.T, name string) compute.Backend {
	backend, _, err := device.Open(name)
	if err != nil {
		t.Skipf("no backend %s here: %v", name, err)
	}
	return backend
}

// network is a small model of the kind taps are for: a recurrence over time, then gated attention.
func network(scope *model.Scope, x *Node, tap *taps.Taps) *Node {
	tap.Add(scope, "input", x)
	x = attend(scope.In("attention"), recur(scope.In("gru"), x, tap), tap)
	tap.Add(scope, "encoded", x)
	pooled := ReduceAndKeep(x, ReduceMean, 1)
	tap.Add(scope, "pooled", pooled)
	return dense(scope.In("head"), pooled, 1)
}

func dense(scope *model.Scope, x *Node, out int) *Node {
	in := x.Shape().Dim(-1)
	weights := hostinit.Uniform(scope, "weights", hostinit.FanIn(in), in, out).NodeValue(x.Graph())
	return Einsum("btd,de->bte", x, weights)
}

func recur(scope *model.Scope, x *Node, tap *taps.Taps) *Node {
	states, last := recurrent.New(recurrent.GRU, scope, x, width).Done()
	tap.Add(scope, "states", states)
	tap.Add(scope, "last", last)
	return states
}

func attend(scope *model.Scope, x *Node, tap *taps.Taps) *Node {
	split := func(name string) *Node {
		return Reshape(dense(scope.In("%s", name), x, width), batch, -1, heads, width/heads)
	}
	q, k, v := split("q"), split("k"), split("v")
	weights := Softmax(DivScalar(Einsum("bqhd,bkhd->bhqk", q, k), math.Sqrt(width/heads)), -1)
	tap.Add(scope, "weights", weights)
	attended := Reshape(Einsum("bhqk,bkhd->bqhd", weights, v), batch, -1, width)
	gate := Sigmoid(dense(scope.In("gate"), x, width))
	tap.Add(scope, "gate", gate)
	mixed := Add(Mul(gate, attended), Mul(OneMinus(gate), x))
	tap.Add(scope, "mixed", mixed)
	return norm.LayerNorm(scope.In("norm"), mixed, -1).Done()
}

func input() *tensors.Tensor {
	x := tensors.FromShape(shapes.Make(dtypes.Float32, batch, steps, width))
	tensors.MustMutableFlatData(x, func(values []float32) {
		for i := range values {
			values[i] = float32(math.Sin(float64(i * i % 1013)))
		}
	})
	return x
}

// outputs are the model's output and the gradient of every variable, bit by bit, from a graph that has the taps that wanted
// chooses among its outputs as well; with none, from a model that was given no taps.
func outputs(t *testing.T, backend compute.Backend, wanted func(name string) bool) (results [][]float32) {
	kept, tapped := 0, 0
	all, err := model.CallOnceN(backend, model.NewStore(), func(scope *model.Scope, x *Node) []*Node {
		var tap *taps.Taps
		if wanted != nil {
			tap = taps.New(scope)
		}
		output := network(scope, x, tap)
		results := append(scope.BuildTrainableVariablesGradientsGraph(ReduceAllSum(Square(output))), output)
		kept = len(results)
		for _, name := range tap.Names() {
			if wanted(name) {
				results = append(results, tap.Get(name))
				tapped++
			}
		}
		return results
	}, input())
	require.NoError(t, err)
	require.Len(t, all, kept+tapped)
	require.Equal(t, wanted != nil, tapped > 0)
	for _, result := range all[:kept] {
		results = append(results, tensors.MustCopyFlatData[float32](result))
	}
	return results
}

func every(string) bool { return true }

// stored leaves out the one tap in the middle of elementwise arithmetic, which XLA never stores by itself.
func stored(name string) bool {
	return name != "attention.mixed"
}

func TestTapsChangeNoBitInPureGo(t *testing.T) {
	backend := open(t, "go")
	assert.Equal(t, outputs(t, backend, nil), outputs(t, backend, every))
}

func TestTapsOfStoredValuesChangeNoBitOnXLA(t *testing.T) {
	backend := open(t, "xla:cpu")
	assert.Equal(t, outputs(t, backend, nil), outputs(t, backend, stored))
}

func TestTapsWithinAFusionChangeLastBitsAtMostOnXLA(t *testing.T) {
	backend := open(t, "xla:cpu")
	want, got := outputs(t, backend, nil), outputs(t, backend, every)
	for i := range want {
		scale := float64(max(slices.Max(want[i]), -slices.Min(want[i])))
		assert.InDeltaSlice(t, want[i], got[i], 1e-5*scale, "output %d", i)
	}
}

func TestTapsInAGraphOfTheirOwnLeaveTrainingAlone(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		assert.Equal(t, trained(t, backend, false), trained(t, backend, true))
	})
}

// trained is every variable after three steps of gradient descent, with a look at all taps before each or without.
func trained(t *testing.T, backend compute.Backend, looking bool) map[string]any {
	store := model.NewStore()
	step := model.MustNewExec(backend, store, func(scope *model.Scope, x *Node) *Node {
		loss := ReduceAllSum(Square(network(scope, x, nil)))
		grads := scope.BuildTrainableVariablesGradientsGraph(loss)
		i := 0
		for v := range scope.IterVariables() {
			v.SetNodeValue(Sub(v.NodeValue(x.Graph()), MulScalar(grads[i], 0.1)))
			i++
		}
		return loss
	})
	look := model.MustNewExec(backend, store, func(scope *model.Scope, x *Node) []*Node {
		tap := taps.New(scope)
		output := network(scope, x, tap)
		return append(tap.Nodes(), output) // pure Go cannot run a graph whose last variable goes unused
	})
	for range 3 {
		if looking {
			_, err := look.Exec(input())
			require.NoError(t, err)
		}
		_, err := step.Exec(input())
		require.NoError(t, err)
	}
	values := map[string]any{}
	for v := range store.IterVariables() {
		values[v.Path()] = v.MustValue().Value()
	}
	return values
}
