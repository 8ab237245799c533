package experiment_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// learning is a model and a planted set that are just large enough for the label generator to find the unimodal truths.
func learning(t *testing.T) experiment.Config {
	t.Helper()
	set := planted.Config{
		Seed: 1, Train: 160, Valid: 24, Test: 24, Width: [3]int{8, 6, 6}, Length: [3]int{8, 12, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}
	c := tiny(t)
	c.Data.Dir = filepath.Join(t.TempDir(), "planted")
	_, err := set.Save(c.Data.Dir)
	require.NoError(t, err)
	c.Train.Batch, c.Train.MaxEpochs, c.Train.Patience = 16, 20, 20
	group := experiment.GroupConfig{Rate: 1e-2}
	c.Optimiser = experiment.OptimiserConfig{Text: group, Audio: group, Vision: group, Other: group}
	m := &c.MMILN
	m.Width, m.FFN, m.AudioHidden, m.VisionHidden, m.Dropout = 16, 16, 8, 8, 0
	m.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 16}, Audio: mmiln.HeadConfig{Width: 8}, Vision: mmiln.HeadConfig{Width: 8},
	}
	return c
}

// The generator never sees a unimodal label. Pseudo-labels begin as y_m; where they end correlates more with the truth of their
// modality than y_m does.
func TestPseudoLabelsMoveTowardsThePlantedTruth(t *testing.T) {
	result := train(t, learning(t))
	lines, err := record.Read[experiment.ULGMLine](reader(t, result.Dir), record.ULGM)
	require.NoError(t, err)
	first, last := lines[0].Tasks, lines[len(lines)-1].Tasks
	for _, task := range mmiln.Auxiliary {
		assert.InDelta(t, float64(first[task].MultimodalTruth), float64(first[task].Truth), 1e-6, "epoch 1, %s", task)
		assert.Greater(t, float64(last[task].Truth), float64(last[task].MultimodalTruth)+0.03, "%s", task)
	}
	assert.Less(t, result.Valid.MAE, 0.8, "the model learned: a constant has an error of 1.3")
	assert.Greater(t, result.Test.Corr, 0.8)
}
