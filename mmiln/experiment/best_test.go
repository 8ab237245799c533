package experiment_test

import (
	"testing"

	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func TestTheBestEpochHoldsThePseudoLabelsThatTheRunRecorded(t *testing.T) {
	c := tiny(t)
	c.Train.MaxEpochs, c.Train.Threshold = 3, 1e6 // the best epoch is the first, the last checkpoint another
	result := train(t, c)
	best, err := experiment.OpenBest(result.Dir)
	require.NoError(t, err)
	assert.Equal(t, 1, best.Epoch)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	labels := map[string][]record.PseudoLabel{}
	for row, err := range reader(t, result.Dir).PseudoLabels() {
		require.NoError(t, err)
		if row.Epoch == best.Epoch {
			labels[row.Task] = append(labels[row.Task], row)
		}
	}
	for _, task := range mmiln.Auxiliary {
		require.Len(t, labels[string(task)], development.Train.Len())
		for i, row := range labels[string(task)] {
			assert.Equal(t, row.Label, float32(best.ULGM.Labels[task][i]))
			assert.Equal(t, row.Human, float32(best.ULGM.Labels[mmiln.Multimodal][i]))
		}
	}
}

func TestTheBestEpochsWeightsFillAnEmptyStore(t *testing.T) {
	result := train(t, tiny(t))
	best, err := experiment.OpenBest(result.Dir)
	require.NoError(t, err)
	store := model.NewStore()
	require.NoError(t, snapshot.Restore(store, best.Weights))
	restored := 0
	for v := range store.IterVariables() {
		assert.NotContains(t, v.Path(), "adam")
		restored++
	}
	assert.Greater(t, restored, 50)
	assert.NotEmpty(t, best.Normaliser.Mean[data.Audio])
}

func TestARunThatTrainedNothingHasNoBestEpoch(t *testing.T) {
	_, err := experiment.OpenBest(t.TempDir())
	assert.Error(t, err)
}
