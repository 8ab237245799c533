package experiment_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func TestAResumedRunWritesTheBytesOfAnUninterruptedOne(t *testing.T) {
	whole := map[string]*record.Reader{} // the uninterrupted run of a configuration
	for _, c := range []struct {
		name        string
		updateEvery int
		partial     string
		batches     []int // after which the run is interrupted; an epoch has four
	}{
		{"before the first batch", 1, "drop", []int{0}},
		{"within an epoch", 1, "drop", []int{6}},
		{"at an epoch's end", 1, "drop", []int{4}},
		{"within a group of batches", 3, "drop", []int{6}},
		{"after the last whole group, the rest dropped", 3, "drop", []int{7}},
		{"after the last whole group, the rest stepped on", 3, "step", []int{7}},
		{"twice in one epoch", 3, "drop", []int{5, 1}},
		{"twice in two epochs", 1, "drop", []int{3, 4}},
		{"in the last epoch", 1, "drop", []int{10}},
		{"before the last batch", 1, "drop", []int{11}},
	} {
		config := tiny(t)
		config.Train.UpdateEvery, config.Train.PartialGroup = c.updateEvery, c.partial
		key := fmt.Sprint(c.updateEvery, c.partial)
		if whole[key] == nil {
			whole[key] = reader(t, train(t, config).Dir)
		}
		t.Run(c.name, func(t *testing.T) {
			o := options(t, "go")
			dir := interrupted(t, config, o, c.batches...)
			assert.Equal(t, record.Interrupted, reader(t, dir).Manifest().Status)
			resume(t, dir, o)
			assertSameBytes(t, whole[key].Dir(), dir)
			assert.JSONEq(t, string(whole[key].Manifest().Result), string(reader(t, dir).Manifest().Result))
			assert.Equal(t, record.Finished, reader(t, dir).Manifest().Status)
		})
	}
}

func TestAResumedRunEndsInTheStateOfAnUninterruptedOne(t *testing.T) {
	c := tiny(t)
	c.Train.UpdateEvery = 3
	o := options(t, "go")
	dir := interrupted(t, c, o, 5)
	resume(t, dir, o)
	for _, kind := range []string{"last", "best"} {
		want, _, _, err := snapshot.Latest(filepath.Join(train(t, c).Dir, "checkpoints", kind))
		require.NoError(t, err)
		got, _, _, err := snapshot.Latest(filepath.Join(dir, "checkpoints", kind))
		require.NoError(t, err)
		assert.JSONEq(t, string(want.Meta), string(got.Meta), kind)
		assert.Equal(t, want.Tensors, got.Tensors, "%s: weights, moments of Adam and the state of the label generator", kind)
	}
}

func TestACheckpointHoldsTheStateOfTheLabelGenerator(t *testing.T) {
	state, _, _, err := snapshot.Latest(filepath.Join(train(t, tiny(t)).Dir, "checkpoints", "last"))
	require.NoError(t, err)
	for name, shape := range map[string][]int{
		"ulgm/seen": {24}, "ulgm/multimodal/features": {24, 32}, "ulgm/audio/features": {24, 4}, "ulgm/vision/labels": {24},
		"ulgm/audio/positive": {4}, "ulgm/vision/negative": {4},
	} {
		assert.Equal(t, shape, state.Tensors[name].Shape, name)
	}
}

func TestAResumedRunOnXLAWritesTheBytesOfAnUninterruptedOne(t *testing.T) {
	for _, system := range []string{"selfmm", "mmiln"} {
		t.Run(system, func(t *testing.T) {
			if system == "mmiln" && os.Getenv("MMILN_LONG") == "" {
				t.Skip("it compiles for minutes; set MMILN_LONG=1")
			}
			c, o := tiny(t), options(t, "xla:cpu")
			c.System, c.Train.MaxEpochs = system, 2
			whole, err := experiment.Train(t.Context(), c, o)
			require.NoError(t, err)
			dir := interrupted(t, c, o, 6)
			resume(t, dir, o)
			assertSameBytes(t, whole.Dir, dir)
		})
	}
}

func TestARunKilledBeforeItsFirstCheckpointBeginsAnew(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	dir := interrupted(t, c, o, 2)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "checkpoints", "last")))
	resume(t, dir, o)
	assertSameBytes(t, train(t, c).Dir, dir)
}

func TestARunThatFailsWhileItSavesTheBestEpochLosesNothing(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	c.Train.MaxEpochs = 1
	var best string
	o.Reporter = watcher{begin: func(dir string) {
		best = filepath.Join(dir, "checkpoints", "best")
		require.NoError(t, os.WriteFile(best, nil, 0o644)) // where the folder must be
	}}
	failed, err := experiment.Train(t.Context(), c, o)
	require.ErrorContains(t, err, "best")
	assert.Equal(t, record.Failed, reader(t, failed.Dir).Manifest().Status)
	require.NoError(t, os.Remove(best))
	resume(t, failed.Dir, o)
	assertSameBytes(t, train(t, c).Dir, failed.Dir)
}

func TestAnInterruptThatCannotSaveIsAFailure(t *testing.T) {
	o := options(t, "go")
	var ctx context.Context
	ctx, o.Reporter = stopping(t, 2)
	stop := o.Reporter.(watcher).batch
	o.Reporter = watcher{batch: stop, begin: func(dir string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoints", "last"), nil, 0o644)) // where the folder must be
	}}
	result, err := experiment.Train(ctx, tiny(t), o)
	require.Error(t, err)
	assert.NotErrorIs(t, err, experiment.ErrInterrupted)
	assert.Equal(t, record.Failed, reader(t, result.Dir).Manifest().Status)
}

func TestADamagedCheckpointCostsTheBatchesSinceTheOneBefore(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	dir := interrupted(t, c, o, 6)
	_, newest, _, err := snapshot.Latest(filepath.Join(dir, "checkpoints", "last"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(newest, 100))
	resume(t, dir, o)
	assertSameBytes(t, train(t, c).Dir, dir)
}

func TestWithoutAWholeCheckpointResumeSaysSo(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	dir := interrupted(t, c, o, 2)
	saved, err := filepath.Glob(filepath.Join(dir, "checkpoints", "last", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, saved)
	for _, path := range saved {
		require.NoError(t, os.Truncate(path, 100))
	}
	_, err = experiment.Resume(t.Context(), dir, o)
	assert.ErrorContains(t, err, "cannot be resumed")
	assert.ErrorContains(t, err, "train it anew")
}

func TestResumeRefusesDataThatHasChanged(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	c.Data.Dir = filepath.Join(t.TempDir(), "set")
	_, err := small(1).Save(c.Data.Dir)
	require.NoError(t, err)
	dir := interrupted(t, c, o, 2)
	require.NoError(t, os.RemoveAll(c.Data.Dir))
	_, err = small(2).Save(c.Data.Dir)
	require.NoError(t, err)
	_, err = experiment.Resume(t.Context(), dir, o)
	assert.ErrorContains(t, err, "was trained on other data than "+c.Data.Dir)

	require.NoError(t, os.RemoveAll(c.Data.Dir))
	_, err = small(1).Save(c.Data.Dir)
	require.NoError(t, err)
	resume(t, dir, o)
}

func TestResumeRefusesARunThatHasFinished(t *testing.T) {
	result := train(t, tiny(t))
	_, err := experiment.Resume(t.Context(), result.Dir, options(t, "go"))
	assert.ErrorContains(t, err, "has finished")
	assert.Len(t, openings(t, result.Dir), 1)
	assert.Equal(t, record.Finished, reader(t, result.Dir).Manifest().Status)
}

func TestResumeOnAnotherBackendIsOnRecord(t *testing.T) {
	c, o := tiny(t), options(t, "go")
	dir := interrupted(t, c, o, 2)
	assert.Equal(t, "go", reader(t, dir).Manifest().Backend)
	o.Note = "something else"
	resume(t, dir, o)
	assert.Equal(t, "go; resumed on something else", reader(t, dir).Manifest().Backend)
}

func TestResumeOfAFolderThatIsNoRunSaysSo(t *testing.T) {
	_, err := experiment.Resume(t.Context(), t.TempDir(), options(t, "go"))
	assert.ErrorContains(t, err, "run.json")
}
