package experiment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// A second seed on the graphs of the first is what it would have been alone.
func TestKeptGraphsChangeNothing(t *testing.T) {
	c := tiny(t)
	alone := train(t, c)
	o := options(t, "go")
	o.Compiled = &experiment.Compiled{}
	other := c
	other.Seed++
	_, err := experiment.Train(t.Context(), other, o)
	require.NoError(t, err)
	after, err := experiment.Train(t.Context(), c, o)
	require.NoError(t, err)
	assertSameBytes(t, alone.Dir, after.Dir)
}

// A run that was stopped between its last epoch and its test leaves Adam's state to an engine that builds no training graph.
func TestASeedAfterOneThatWasResumedIsWhatItWouldHaveBeenAlone(t *testing.T) {
	c := tiny(t)
	alone := train(t, c)
	other := c
	other.Seed++
	within := interrupted(t, other, options(t, "go"), 1)
	before := train(t, other).Dir
	manifest := filepath.Join(before, "run.json")
	text, err := os.ReadFile(manifest)
	require.NoError(t, err)
	require.Contains(t, string(text), `"status": "finished"`)
	require.NoError(t, os.WriteFile(manifest, []byte(strings.Replace(string(text), `"finished"`, `"interrupted"`, 1)), 0o644))
	for _, dir := range []string{within, before} {
		o := options(t, "go")
		o.Compiled = &experiment.Compiled{}
		resume(t, dir, o)
		after, err := experiment.Train(t.Context(), c, o)
		require.NoError(t, err)
		assertSameBytes(t, alone.Dir, after.Dir)
	}
}
