package playground_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots/playground"
)

func TestTheExamplesOfAPageArePredictedAsByTheBinary(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	p, err := experiment.OpenPredictor(run(t), backend)
	require.NoError(t, err)
	development, _, err := data.Open(p.Config.Data.Dir)
	require.NoError(t, err)
	rows, err := p.Predict(development.Valid)
	require.NoError(t, err)
	known := map[string]record.Prediction{}
	for _, row := range rows {
		known[row.ID] = row
	}
	b := collect(t)
	e := open(t, b)
	for i := range b.Shown {
		c := b.Neutral()
		c.Example = i
		v, err := e.See(c)
		require.NoError(t, err)
		row := known[b.Infos[i].ID]
		assert.InDelta(t, row.Value, v.Predictions["multimodal"], 1e-5)
		assert.InDelta(t, row.Tasks["audio"], v.Predictions["audio"], 1e-5)
		assert.InDelta(t, row.Tasks["vision"], v.Predictions["vision"], 1e-5)
	}
}

func TestCollectingLeavesTheTestSplitSealed(t *testing.T) {
	before, err := os.ReadFile(filepath.Join(run(t), "opened.jsonl"))
	require.NoError(t, err)
	collect(t)
	after, err := os.ReadFile(filepath.Join(run(t), "opened.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestEveryExampleOfAPageIsThereOnce(t *testing.T) {
	b := collect(t)
	assert.Equal(t, 6, b.Shown)
	seen := map[string]bool{}
	for _, info := range b.Infos {
		assert.False(t, seen[info.ID], info.ID)
		seen[info.ID] = true
	}
	for i, sign := range []float32{-1, 0, 1} {
		for _, m := range []data.Modality{data.Audio, data.Vision} {
			assert.InDelta(t, 2*sign, b.Infos[b.Templates[m][i]].Unimodal[m], 1)
		}
	}
}

func TestARunOfOtherDataIsRefused(t *testing.T) {
	set := filepath.Join(t.TempDir(), "other")
	w, err := data.Create(set, data.Source{Format: "table", Width: [3]int{6, 4, 5}})
	require.NoError(t, err)
	for _, split := range data.Splits {
		require.NoError(t, w.Add(split, data.Example{
			Info:   data.Info{ID: string(split), Lengths: [3]int{1, 1, 1}},
			Values: [3][]float32{make([]float32, 6), make([]float32, 4), make([]float32, 5)},
		}))
	}
	_, err = w.Close()
	require.NoError(t, err)
	_, err = playground.Collect(run(t), playground.Options{Data: set})
	assert.ErrorContains(t, err, "comes from table, whose words the page could not turn into features; train on a planted set")
}

func TestARunWhosePredictionsDependOnPaddingIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.CopyFS(dir, os.DirFS(run(t))))
	config := filepath.Join(dir, "config.toml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "summary_pool = 'valid'", "summary_pool = 'all'", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(config, []byte(changed), 0o644))
	_, err = playground.Collect(dir, playground.Options{})
	assert.ErrorContains(t, err, "choose a run that averages over valid steps")
}

func TestAFolderThatIsNoRunIsRefused(t *testing.T) {
	_, err := playground.Collect(t.TempDir(), playground.Options{})
	assert.Error(t, err)
}

func TestSourceThatIsNotThereIsAskedFor(t *testing.T) {
	t.Setenv(playground.SourceVariable, t.TempDir())
	_, err := playground.FromBundle(t.Context(), collect(t), playground.Options{Cache: t.TempDir()})
	assert.ErrorContains(t, err, "does not hold the source of github.com/mmiln/workbench")
}

func TestAToolchainThatIsNotThereIsAskedFor(t *testing.T) {
	b := collect(t)
	t.Setenv("PATH", t.TempDir())
	_, err := playground.FromBundle(t.Context(), b, playground.Options{Cache: t.TempDir()})
	assert.ErrorContains(t, err, "install Go")
}

func TestAnInterruptEndsTheCompiler(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := playground.FromBundle(ctx, collect(t), playground.Options{Cache: t.TempDir()})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAPageThatCannotBeWrittenLeavesWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(path, []byte("kept"), 0o644))
	_, err := playground.Write(t.Context(), t.TempDir(), path, playground.Options{})
	require.Error(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(content))
}
