package taps_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

// inGraph runs test while a graph with one node is built, and returns the error of building it.
func inGraph(t *testing.T, test func(scope *model.Scope, node *Node)) error {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	_, err = model.CallOnce(backend, model.NewStore(), func(scope *model.Scope, node *Node) *Node {
		test(scope, node)
		return node
	}, float32(1))
	return err
}

func TestNamesAreThePathBelowTheRootWithDots(t *testing.T) {
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope.In("model"))
		gate := scope.At("model").In("layers").In("0").In("gate").In("audio")
		tap.Add(gate, "g_r", node)
		tap.Add(scope.At("model"), "pooled", node)
		assert.Equal(t, []string{"layers.0.gate.audio.g_r", "pooled"}, tap.Names())
	}))
}

func TestNamesAreThePathItselfBelowTheStoresRoot(t *testing.T) {
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		tap.Add(scope.In("head"), "out", node)
		tap.Add(scope, "pooled", node)
		assert.Equal(t, []string{"head.out", "pooled"}, tap.Names())
	}))
}

func TestNodesComeInTheOrderOfTheirNames(t *testing.T) {
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		second := Neg(node)
		tap.Add(scope, "z", node)
		tap.Add(scope, "a", second)
		assert.Equal(t, []string{"z", "a"}, tap.Names())
		require.Len(t, tap.Nodes(), 2)
		assert.Same(t, node, tap.Nodes()[0])
		assert.Same(t, second, tap.Get("a"))
		assert.Nil(t, tap.Get("b"))
	}))
}

func TestANameIsAddedOnce(t *testing.T) {
	assert.ErrorContains(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		tap.Add(scope, "gate", node)
		tap.Add(scope, "gate", node)
	}), `"gate" is added twice`)
}

func TestAScopeOutsideTheRootIsRefused(t *testing.T) {
	assert.ErrorContains(t, inGraph(t, func(scope *model.Scope, node *Node) {
		taps.New(scope.In("model")).Add(scope.In("models"), "gate", node)
	}), "/models of \"gate\" lies outside /model")
}

func TestNoTapsCollectNothing(t *testing.T) {
	var none *taps.Taps
	none.Add(nil, "gate", nil)
	assert.Empty(t, none.Names())
	assert.Empty(t, none.Nodes())
	assert.Nil(t, none.Get("gate"))
}

func TestAPassedNodeIsNamedAndReturned(t *testing.T) {
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		assert.Same(t, node, tap.Pass(scope, "gate", node))
		assert.Same(t, node, tap.Get("gate"))
	}))
}

func TestAPassedNodeGivesWayToItsReplacement(t *testing.T) {
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		half := MulScalar(node, 0.5)
		tap.Replace(func(name string, given *Node) *Node {
			assert.Equal(t, "layer.gate", name)
			assert.Same(t, node, given)
			return half
		})
		assert.Same(t, half, tap.Pass(scope.In("layer"), "gate", node))
		assert.Same(t, half, tap.Get("layer.gate"))
	}))
}

func TestAReplacementOfAnotherShapeIsRefused(t *testing.T) {
	assert.ErrorContains(t, inGraph(t, func(scope *model.Scope, node *Node) {
		tap := taps.New(scope)
		tap.Replace(func(_ string, given *Node) *Node { return InsertAxes(given, 0) })
		tap.Pass(scope, "gate", node)
	}), `"gate" is (Float32) and cannot be replaced by`)
}

func TestNoTapsPassNodesOn(t *testing.T) {
	var none *taps.Taps
	require.NoError(t, inGraph(t, func(scope *model.Scope, node *Node) {
		assert.Same(t, node, none.Pass(scope, "gate", node))
	}))
}
