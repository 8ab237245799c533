package experiment_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/npy"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// reading is tiny with the text of a random BERT of two layers.
func reading(t *testing.T, mode string) experiment.Config {
	t.Helper()
	t.Setenv("MMILN_CACHE", filepath.Join(scratch, "cache"))
	c := tiny(t)
	c.Text = experiment.TextConfig{Mode: mode, Encoder: "../../gomlx_ext/textenc/testdata/tiny", MaxLength: 12, Precision: "float32"}
	c.Data.Buckets, c.Data.Pool = 3, 2
	return c
}

func trained(t *testing.T, dir string) *experiment.Predictor {
	t.Helper()
	p, err := experiment.OpenPredictor(dir, options(t, "go").Backend)
	require.NoError(t, err)
	return p
}

func predictions(t *testing.T, dir string) (values []float32) {
	t.Helper()
	d, _, err := data.Open(must(dataset()))
	require.NoError(t, err)
	rows, err := trained(t, dir).Predict(d.Valid)
	require.NoError(t, err)
	for _, row := range rows {
		values = append(values, row.Value)
	}
	return values
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAnEncoderIsTrainedWithTheModelAndRestored(t *testing.T) {
	for _, system := range []string{"mmiln", "selfmm"} {
		c := reading(t, "finetune")
		c.System = system
		result := train(t, c)
		scores, err := experiment.Export(result.Dir)
		require.NoError(t, err)
		moved, _, err := scores.Float32("encoder.text.encoder.layer.0.output.dense.bias")
		require.NoError(t, err)
		assert.NotEqual(t, make([]float32, len(moved)), moved, system)
		reader, err := record.Open(result.Dir)
		require.NoError(t, err)
		kept, err := reader.Predictions("valid")
		require.NoError(t, err)
		for i, value := range predictions(t, result.Dir) {
			assert.InDelta(t, kept[i].Value, value, 1e-5, "padded otherwise, example %d", i)
		}
	}
}

func TestARunWithAnEncoderResumesToTheSameBytes(t *testing.T) {
	whole := train(t, reading(t, "finetune"))
	dir := interrupted(t, reading(t, "finetune"), options(t, "go"), 6)
	resume(t, dir, options(t, "go"))
	assertSameBytes(t, whole.Dir, dir)
}

func TestFrozenStatesAreComputedOnceAndMissWhereAnythingChanges(t *testing.T) {
	c := reading(t, "frozen")
	cache := t.TempDir()
	t.Setenv("MMILN_CACHE", cache)
	entries := func() map[string]time.Time {
		found := map[string]time.Time{}
		for _, path := range must(filepath.Glob(filepath.Join(cache, "text", "*", "*.checkpoint"))) {
			found[path] = must(os.Stat(path)).ModTime()
		}
		return found
	}
	first := train(t, c)
	after := entries()
	assert.Len(t, after, 3, "one for each split")
	second := train(t, c)
	assert.Equal(t, after, entries())
	assert.Equal(t, first.Test, second.Test)
	c.Text.MaxLength = 6
	train(t, c)
	assert.Len(t, entries(), 6)
}

func TestADamagedCacheIsMadeAnew(t *testing.T) {
	c := reading(t, "frozen")
	cache := t.TempDir()
	t.Setenv("MMILN_CACHE", cache)
	want := train(t, c)
	for _, path := range must(filepath.Glob(filepath.Join(cache, "text", "*", "*.checkpoint"))) {
		require.NoError(t, os.Truncate(path, 100))
	}
	assert.Equal(t, want.Test, train(t, c).Test)
}

func TestSentencesArePredictedAndMissingModalitiesMasked(t *testing.T) {
	c := reading(t, "finetune")
	dir := train(t, c).Dir
	p := trained(t, dir)
	u, err := p.Utterances([]string{"a good film", "a bad film that is long"})
	require.NoError(t, err)
	assert.Equal(t, []data.Modality{data.Audio, data.Vision}, u.Missing())
	without, err := p.Predict(u)
	require.NoError(t, err)
	assert.NotEqual(t, without[0].Value, without[1].Value)

	audio := filepath.Join(t.TempDir(), "audio.npy")
	stream, err := npy.Create(audio, npy.Float32, 3, 4) // 3 steps of 4 features for each sentence
	require.NoError(t, err)
	require.NoError(t, stream.Floats([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}))
	require.NoError(t, stream.Close())
	require.NoError(t, u.Read(data.Audio, audio))
	assert.Equal(t, []data.Modality{data.Vision}, u.Missing())
	with, err := p.Predict(u)
	require.NoError(t, err)
	assert.NotEqual(t, without[0].Value, with[0].Value)
	assert.NotEqual(t, without[1].Value, with[1].Value, "zeros are not the same as nothing")
}

func TestBadSentencesAndFeaturesAreRefused(t *testing.T) {
	p := trained(t, train(t, reading(t, "finetune")).Dir)
	_, err := p.Utterances(nil)
	assert.ErrorContains(t, err, "no sentence")
	_, err = p.Utterances([]string{"good", ""})
	assert.ErrorContains(t, err, "sentence 2 is empty")
	u, err := p.Utterances([]string{"good", "bad", "so"})
	require.NoError(t, err)
	wide := filepath.Join(t.TempDir(), "wide.npy")
	stream, err := npy.Create(wide, npy.Float32, 7)
	require.NoError(t, err)
	require.NoError(t, stream.Floats(make([]float32, 21)))
	require.NoError(t, stream.Close())
	assert.ErrorContains(t, u.Read(data.Audio, wide), "the model reads audio of 4 features a step")
	assert.ErrorContains(t, u.Read(data.Text, wide), "no features of text")
	assert.Error(t, u.Read(data.Audio, "nowhere.npy"))
}

func TestARunOnFeaturesHasNoEncoderForSentences(t *testing.T) {
	_, err := trained(t, train(t, tiny(t)).Dir).Utterances([]string{"good"})
	assert.ErrorContains(t, err, "has no encoder for sentences")
}

func TestBadTextConfigurationsAreRefused(t *testing.T) {
	for setting, says := range map[string]string{
		"text.mode=bert":        `[text] mode is "bert"; use features, frozen or finetune`,
		"text.mode=frozen":      "[text] encoder is empty",
		"data.pool=-1":          "[data] pool is -1",
		"optimiser.text.rate=0": "[optimiser] text.rate is 0",
	} {
		_, err := experiment.Load("demo", setting)
		assert.ErrorContains(t, err, says)
	}
	c := reading(t, "finetune")
	c.Text.Encoder = t.TempDir()
	_, err := experiment.Train(t.Context(), c, options(t, "go"))
	assert.ErrorContains(t, err, "[text] encoder:")
	c = reading(t, "finetune")
	c.Text.MaxLength = 4000
	_, err = experiment.Train(t.Context(), c, options(t, "go"))
	assert.ErrorContains(t, err, "takes at most")
}
