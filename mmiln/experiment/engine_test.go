package experiment_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

// bench is an engine with two batches to train it on.
type bench struct {
	t       *testing.T
	engine  *experiment.Engine
	batches [2]*data.Batch
}

func newBench(t *testing.T, c experiment.Config) *bench {
	t.Helper()
	m, err := c.Model()
	require.NoError(t, err)
	b := &bench{t: t}
	b.engine, err = experiment.NewEngine(open(t, "go"), c, m)
	require.NoError(t, err)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	for i := range b.batches {
		b.batches[i], err = development.Train.Batch([]int{4 * i, 4*i + 1, 4*i + 2, 4*i + 3}, [3]int{})
		require.NoError(t, err)
	}
	return b
}

func (b *bench) step(i int, seed uint32) experiment.StepResult {
	b.t.Helper()
	batch := b.batches[i]
	labels := map[mmiln.Task][]float32{mmiln.Multimodal: batch.Labels, mmiln.Audio: batch.Unimodal[data.Audio], mmiln.Vision: batch.Unimodal[data.Vision]}
	r, err := b.engine.Step(batch, labels, seed)
	require.NoError(b.t, err)
	return r
}

func (b *bench) predictions() []float32 {
	b.t.Helper()
	r, err := b.engine.Evaluate(b.batches[0])
	require.NoError(b.t, err)
	return r.Predictions[mmiln.Multimodal]
}

// accumulating sums the gradients of two batches, without decay.
func accumulating(t *testing.T) experiment.Config {
	c := tiny(t)
	c.Train.UpdateEvery = 2
	group := experiment.GroupConfig{Rate: 1e-2}
	c.Optimiser = experiment.OptimiserConfig{Text: group, Audio: group, Vision: group, Other: group}
	return c
}

func farthest(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

func TestWeightsMoveOnceAGroupIsWhole(t *testing.T) {
	b := newBench(t, accumulating(t))
	before := b.predictions()
	b.step(0, 1)
	b.step(1, 2)
	assert.Equal(t, before, b.predictions())
	require.NoError(t, b.engine.Apply())
	assert.Greater(t, farthest(before, b.predictions()), 1e-3)
}

// Adam divides by the gradient's size: its first step is the same for the sum and for the mean but for its ε.
func TestSumsAndMeansOfGradientsGiveAdamTheSameFirstStep(t *testing.T) {
	var after [2][]float32
	var before []float32
	for i, gradients := range []string{"sum", "mean"} {
		c := accumulating(t)
		c.Train.Gradients = gradients
		b := newBench(t, c)
		before = b.predictions()
		b.step(0, 1)
		b.step(1, 2)
		require.NoError(t, b.engine.Apply())
		after[i] = b.predictions()
	}
	assert.Less(t, farthest(after[0], after[1]), farthest(before, after[0])/100)
}

func TestWithDecaySumsAndMeansOfGradientsDiffer(t *testing.T) {
	var after [2][]float32
	for i, gradients := range []string{"sum", "mean"} {
		c := accumulating(t)
		c.Train.Gradients, c.Optimiser.Other.Decay = gradients, 1
		b := newBench(t, c)
		b.step(0, 1)
		b.step(1, 2)
		require.NoError(t, b.engine.Apply())
		after[i] = b.predictions()
	}
	assert.Greater(t, farthest(after[0], after[1]), 1e-4)
}

func TestForgottenGradientsLeaveNoTrace(t *testing.T) {
	forgetful, fresh := newBench(t, accumulating(t)), newBench(t, accumulating(t))
	forgetful.step(0, 1)
	require.NoError(t, forgetful.engine.Forget())
	for _, b := range []*bench{forgetful, fresh} {
		b.step(1, 2)
		require.NoError(t, b.engine.Apply())
	}
	assert.Equal(t, fresh.predictions(), forgetful.predictions())
}

func TestDropoutDependsOnTheStepsSeedAlone(t *testing.T) {
	b := newBench(t, accumulating(t)) // weights stay while gradients are summed
	first := b.step(0, 1).Parts[0]
	assert.Equal(t, first, b.step(0, 1).Parts[0])
	assert.NotEqual(t, first, b.step(0, 2).Parts[0])
}

func TestTheLossIsTheWeightedSumOfItsParts(t *testing.T) {
	c := accumulating(t)
	parts := newBench(t, c).step(0, 1).Parts
	want := float64(parts[1]) + c.MMILN.Alpha*float64(parts[2]) + c.MMILN.Beta*float64(parts[3])
	assert.InDelta(t, want, parts[0], 1e-5)
}

func TestEvaluationDropsNothingAndLeavesTheWeights(t *testing.T) {
	b := newBench(t, accumulating(t))
	assert.Equal(t, b.predictions(), b.predictions())
}

func TestAGroupOfOneBatchStepsAtOnce(t *testing.T) {
	c := accumulating(t)
	grouped := newBench(t, c)
	grouped.step(0, 1)
	require.NoError(t, grouped.engine.Apply())
	c.Train.UpdateEvery = 1
	single := newBench(t, c)
	single.step(0, 1)
	assert.Less(t, farthest(grouped.predictions(), single.predictions()), 1e-6)
}
