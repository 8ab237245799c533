package plots

import (
	"iter"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/loss"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
)

// doubling is the data y = 2x, without end or once.
type doubling struct{ endless bool }

func (doubling) Name() string { return "doubling" }

func (d doubling) Iter() iter.Seq2[train.Batch, error] {
	return func(yield func(train.Batch, error) bool) {
		for again := true; again; again = d.endless {
			x, y := tensors.FromValue([][]float32{{1}, {-1}, {2}}), tensors.FromValue([][]float32{{2}, {-2}, {4}})
			if !yield(train.Batch{Inputs: []*tensors.Tensor{x}, Labels: []*tensors.Tensor{y}}, nil) {
				return
			}
		}
	}
}

func TestAnyLoopOfGoMLXIsDrawnLive(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	slope := func(scope *model.Scope, x *graph.Node) *graph.Node {
		return graph.Mul(x, scope.VariableWithValue("slope", float32(0)).NodeValue(x.Graph()))
	}
	trainer := train.NewTrainer(backend, model.NewStore(), slope, loss.MeanSquaredError, optimizer.Adam().LearningRate(0.1).Done(), nil, nil)
	loop := train.NewLoop(trainer)
	p := newPage()
	live := newLive("slope", "step", p)
	live.attach(loop, 10, []train.Dataset{doubling{}})
	_, err = loop.RunSteps(doubling{endless: true}, 30)
	require.NoError(t, err)

	assert.Equal(t, 3+1, p.updates[live.view], "every ten steps, and cleared at the end")
	assert.Empty(t, p.live[live.view])
	require.Len(t, p.displayed, 1, "training and evaluation loss share a chart")
	assert.Contains(t, p.displayed[0], "doubling")
	last := live.points[len(live.points)-1]
	assert.Equal(t, 30.0, last.Step)
	assert.Less(t, last.Value, 1.0, "it learned")
}
