package experiment_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

func TestALookPredictsWhatThePredictorDoesAndLetsTapsOut(t *testing.T) {
	result := train(t, tiny(t))
	backend := open(t, "go")
	p, err := experiment.OpenPredictor(result.Dir, backend)
	require.NoError(t, err)
	development, _, err := data.Open(p.Config.Data.Dir)
	require.NoError(t, err)
	rows, err := p.Predict(development.Valid)
	require.NoError(t, err)
	look, err := p.Look(development.Valid, 5)
	require.NoError(t, err)

	assert.Equal(t, rows[5].ID, look.Info.ID)
	assert.InDelta(t, rows[5].Value, look.Predictions[mmiln.Multimodal], 1e-5)
	assert.InDelta(t, rows[5].Tasks["audio"], look.Predictions[mmiln.Audio], 1e-5)
	steps := look.Info.Lengths
	assert.Equal(t, []int{steps[data.Audio], 8}, look.Taps["layers.0.sag.audio.g_s"].Dims)
	assert.Equal(t, []int{2, steps[data.Text], steps[data.Vision]}, look.Taps["layers.0.sag.vision.attention.probabilities"].Dims)
	assert.Equal(t, []int{1, 8}, look.Taps["layers.0.gate.vision.g_r"].Dims)
	assert.Len(t, look.Taps, len(look.Names))
}

func TestALookIntoOtherDataIsRefused(t *testing.T) {
	result := train(t, tiny(t))
	backend := open(t, "go")
	p, err := experiment.OpenPredictor(result.Dir, backend)
	require.NoError(t, err)
	other := small(2)
	other.Width = [3]int{5, 4, 5}
	dir := t.TempDir() + "/other"
	_, err = other.Save(dir)
	require.NoError(t, err)
	development, _, err := data.Open(dir)
	require.NoError(t, err)
	_, err = p.Look(development.Valid, 0)
	assert.ErrorContains(t, err, "use the data set of training")
}
