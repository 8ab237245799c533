package experiment_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func TestASealedRunSelectsAnEpochAndNeverOpensTheTestSplit(t *testing.T) {
	c := tiny(t)
	tested := train(t, c)
	c.Train.Sealed = true
	sealed := train(t, c)
	assert.Equal(t, tested.Valid, sealed.Valid, "training is the same")
	assert.Zero(t, sealed.Test.N)
	assert.True(t, math.IsNaN(sealed.Test.MAE) && math.IsNaN(sealed.Constant.MAE), "undetermined")
	assert.Empty(t, openings(t, sealed.Dir))
	assert.NoFileExists(t, filepath.Join(sealed.Dir, "predictions", "test.csv"))
	assert.Equal(t, record.Finished, reader(t, sealed.Dir).Manifest().Status)
}

func TestASealedRunNeedsNoByteOfTheTestArrays(t *testing.T) {
	c := tiny(t)
	from, err := dataset()
	require.NoError(t, err)
	c.Data.Dir, c.Train.Sealed = filepath.Join(t.TempDir(), "set"), true
	require.NoError(t, os.CopyFS(c.Data.Dir, os.DirFS(from)))
	arrays, err := filepath.Glob(filepath.Join(c.Data.Dir, "test*.npy"))
	require.NoError(t, err)
	require.NotEmpty(t, arrays)
	for _, array := range arrays {
		info, err := os.Stat(array)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(array, make([]byte, info.Size()), 0o644)) // right in size, wrong in every byte
	}
	train(t, c)
}

func TestContinueTrainsOnceGoesOnAndThenLeavesTheRun(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	whole := train(t, c)
	dir := interrupted(t, c, o, 2)
	o.Reporter = nil
	result, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	assert.Equal(t, dir, result.Dir, "goes on with the interrupted run")
	assertSameBytes(t, whole.Dir, dir)

	again, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	assert.Equal(t, result.Dir, again.Dir)
	assert.Equal(t, result.Valid, again.Valid)
	assert.Len(t, reader(t, dir).Manifest().Resumed, 1)
	c.Seed++
	other, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	assert.NotEqual(t, dir, other.Dir, "another seed is another run")
}

func TestContinuePassesOverARunThatDiedBeforeItsConfiguration(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	dir := interrupted(t, c, o, 0)
	require.NoError(t, os.Remove(filepath.Join(dir, "config.toml")))
	o.Reporter = nil
	result, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	assert.NotEqual(t, dir, result.Dir)
}

func TestContinueWaitsForAnotherProcessAndStopsWaitingWhenItIsAsked(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	result, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	locks, err := filepath.Glob(filepath.Join(o.Runs, ".training-*"))
	require.NoError(t, err)
	require.Len(t, locks, 1)
	held := flock.New(locks[0])
	require.NoError(t, held.Lock())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = experiment.Continue(ctx, c, o)
	require.ErrorIs(t, err, experiment.ErrInterrupted)

	time.AfterFunc(200*time.Millisecond, func() { _ = held.Close() })
	again, err := experiment.Continue(t.Context(), c, o)
	require.NoError(t, err)
	assert.Equal(t, result.Dir, again.Dir)
}

func TestAKeyIsOfWhatIsComputedAndNotOfNames(t *testing.T) {
	c := tiny(t)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	key := func(change func(*experiment.Config)) string {
		changed := c
		change(&changed)
		k, err := changed.Key(development.Schema(), development.Card().SHA256())
		require.NoError(t, err)
		return k
	}
	want := key(func(*experiment.Config) {})
	assert.Equal(t, want, key(func(c *experiment.Config) { c.Name, c.MMILN.Drop = "other", []string{} }))
	assert.NotEqual(t, want, key(func(c *experiment.Config) { c.Seed++ }))
	assert.NotEqual(t, want, key(func(c *experiment.Config) { c.Train.Sealed = true }))

	c.Text = experiment.TextConfig{Mode: "frozen", Encoder: "a-bert", MaxLength: 9}
	wordless, err := c.Key(data.Schema{Width: [3]int{0, 4, 5}}, development.Card().SHA256())
	require.NoError(t, err)
	assert.Equal(t, key(func(*experiment.Config) {}), wordless, "text that an encoder makes is not absent")
	c.Text = experiment.Default().Text

	found, err := experiment.KeyOf(reader(t, train(t, c).Dir).Manifest())
	require.NoError(t, err)
	assert.Equal(t, want, found, "and can be told from run.json")
}
