package mmiln_test

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// predicted is what a model with the weights of seed 0 says of a batch when its gates are replaced (nil: they are not).
func predicted(t *testing.T, c mmiln.Config, replace func(name string, gate *Node) *Node) (all []float32, replaced []string) {
	t.Helper()
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	m, err := mmiln.New(c)
	require.NoError(t, err)
	results, err := model.CallOnceN(backend, model.NewStore(), func(scope *model.Scope, args []*Node) []*Node {
		tap := taps.New(scope)
		if replace != nil {
			tap.Replace(func(name string, gate *Node) *Node {
				replaced = append(replaced, name)
				return replace(name, gate)
			})
		}
		out := m.Forward(scope, mmiln.Inputs{
			Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
		}, tap)
		return []*Node{Stack([]*Node{out.Heads[0].Prediction, out.Heads[1].Prediction, out.Heads[2].Prediction}, 0)}
	}, random().tensors()[:6])
	require.NoError(t, err)
	return tensors.MustCopyFlatData[float32](results[0]), replaced
}

func TestAGateReplacedByItselfChangesNoBit(t *testing.T) {
	want, _ := predicted(t, tiny(), nil)
	got, replaced := predicted(t, tiny(), func(_ string, gate *Node) *Node { return AddScalar(MulScalar(gate, 1), 0) })
	assert.Equal(t, want, got)
	assert.Len(t, replaced, 20, "g_r and g_c of two GateTransformers, and g_s too of two SAG-Transformers, in each of two layers")
}

func TestGatesReplacedByOneAreTheAblationWithoutMFM(t *testing.T) {
	c := tiny()
	c.Ablation = "no_mfm"
	want, none := predicted(t, c, nil)
	assert.Empty(t, none)
	got, _ := predicted(t, tiny(), func(_ string, gate *Node) *Node { return AddScalar(MulScalar(gate, 0), 1) })
	assert.InDeltaSlice(t, want, got, 1e-6)
}
