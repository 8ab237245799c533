package experiment_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// scratch is the folder that the tests of this package share.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "experiment"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// small is a planted set of 24/8/8 examples of a few steps.
func small(seed uint64) planted.Config {
	return planted.Config{
		Seed: seed, Train: 24, Valid: 8, Test: 8, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}
}

// dataset is where the shared set lies.
var dataset = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "planted")
	_, err := small(1).Save(dir)
	return dir, err
})

// tiny trains in about a second: four batches an epoch, three epochs, with dropout and decay.
func tiny(t *testing.T) experiment.Config {
	t.Helper()
	dir, err := dataset()
	require.NoError(t, err)
	c := experiment.Default()
	c.Name, c.Data.Dir = "tiny", dir
	c.Train.Batch, c.Train.UpdateEvery, c.Train.MaxEpochs = 6, 1, 3
	group := experiment.GroupConfig{Rate: 1e-2, Decay: 1e-3}
	c.Optimiser = experiment.OptimiserConfig{Text: group, Audio: group, Vision: group, Other: group}
	m := &c.MMILN
	m.Width, m.Heads, m.FFN, m.Layers, m.AudioHidden, m.VisionHidden = 8, 2, 8, 1, 3, 3
	m.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 32, Dropout: 0.1}, Audio: mmiln.HeadConfig{Width: 4}, Vision: mmiln.HeadConfig{Width: 4},
	}
	s := &c.SelfMM
	s.AudioHidden, s.VisionHidden, s.AudioOutput, s.VisionOutput, s.AudioDropout = 3, 3, 4, 4, 0.1
	s.Head = m.Head
	s.Head.Text = mmiln.HeadConfig{Width: 5}
	require.NoError(t, c.Validate())
	return c
}

// options run in pure Go and write to a folder of the test.
func options(t *testing.T, backend string) experiment.Options {
	t.Helper()
	return experiment.Options{Backend: open(t, backend), Note: backend, Runs: t.TempDir(), Argv: []string{"test"}}
}

func open(t *testing.T, name string) compute.Backend {
	t.Helper()
	backend, _, err := device.Open(name)
	if err != nil {
		t.Skipf("no %s here: %v", name, err)
	}
	return backend
}

// train runs a configuration to its end.
func train(t *testing.T, c experiment.Config) experiment.Result {
	t.Helper()
	result, err := experiment.Train(t.Context(), c, options(t, "go"))
	require.NoError(t, err)
	return result
}

// watcher is a reporter whose fields may be nil.
type watcher struct {
	begin func(dir string)
	batch func()
	epoch func(experiment.EpochReport)
}

func (w watcher) Begin(dir string, _, _ int) {
	if w.begin != nil {
		w.begin(dir)
	}
}

func (w watcher) Batch(_, _, _ int, _ float64) {
	if w.batch != nil {
		w.batch()
	}
}

func (w watcher) Epoch(e experiment.EpochReport) {
	if w.epoch != nil {
		w.epoch(e)
	}
}

// stopping cancels the context that it returns after some batches; 0 is before the first.
func stopping(t *testing.T, batches int) (context.Context, experiment.Reporter) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if batches == 0 {
		cancel()
	}
	return ctx, watcher{batch: func() {
		if batches--; batches == 0 {
			cancel()
		}
	}}
}

// interrupted stops a run after so many batches, resumes it, stops it again after so many more, and so on.
func interrupted(t *testing.T, c experiment.Config, o experiment.Options, batches ...int) (dir string) {
	t.Helper()
	for i, n := range batches {
		var result experiment.Result
		var err error
		var ctx context.Context
		if ctx, o.Reporter = stopping(t, n); i == 0 {
			result, err = experiment.Train(ctx, c, o)
		} else {
			result, err = experiment.Resume(ctx, dir, o)
		}
		require.ErrorIs(t, err, experiment.ErrInterrupted)
		require.NotEmpty(t, result.Dir)
		dir = result.Dir
	}
	return dir
}

func resume(t *testing.T, dir string, o experiment.Options) experiment.Result {
	t.Helper()
	o.Reporter = nil
	result, err := experiment.Resume(t.Context(), dir, o)
	require.NoError(t, err)
	return result
}

// outputs are the files of a run that depend on configuration, seed and data alone.
var outputs = []string{
	"metrics.jsonl", "gates.jsonl", "refusion.jsonl", "ulgm.jsonl", "pseudo_labels.csv", "gates_examples.csv",
	"predictions/valid.csv", "predictions/test.csv",
}

func assertSameBytes(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range outputs {
		expected, err := os.ReadFile(filepath.Join(want, name))
		if strings.HasPrefix(name, "gates") && errors.Is(err, fs.ErrNotExist) { // Self-MM has no gates
			assert.NoFileExists(t, filepath.Join(got, name))
			continue
		}
		require.NoError(t, err)
		found, err := os.ReadFile(filepath.Join(got, name))
		require.NoError(t, err)
		assert.NotEmpty(t, expected, name)
		assert.Equal(t, string(expected), string(found), name)
	}
}

func reader(t *testing.T, dir string) *record.Reader {
	t.Helper()
	r, err := record.Open(dir)
	require.NoError(t, err)
	return r
}

func openings(t *testing.T, dir string) []record.Opening {
	t.Helper()
	all, err := reader(t, dir).Openings()
	require.NoError(t, err)
	return all
}
