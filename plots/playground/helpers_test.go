package playground_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/plots/playground"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// scratch is the folder that the tests of this package share.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "playground"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// trained is the folder of a run of a few epochs on a small planted set.
var trained = sync.OnceValues(func() (string, error) {
	set := filepath.Join(scratch, "set")
	_, err := planted.Config{
		Seed: 1, Train: 48, Valid: 40, Test: 4, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}.Save(set)
	if err != nil {
		return "", err
	}
	c := experiment.Default()
	c.Name, c.Data.Dir = "small", set
	c.Train.Batch, c.Train.UpdateEvery, c.Train.MaxEpochs = 8, 1, 4
	group := experiment.GroupConfig{Rate: 1e-2}
	c.Optimiser.Audio, c.Optimiser.Vision, c.Optimiser.Other = group, group, group
	m := &c.MMILN
	m.Width, m.Heads, m.FFN, m.Layers, m.AudioHidden, m.VisionHidden, m.Dropout = 8, 2, 8, 2, 4, 4, 0
	m.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: 8}, Audio: mmiln.HeadConfig{Width: 6}, Vision: mmiln.HeadConfig{Width: 6},
	}
	backend, note, err := device.Open("go")
	if err != nil {
		return "", err
	}
	result, err := experiment.Train(context.Background(), c, experiment.Options{
		Backend: backend, Note: note, Runs: filepath.Join(scratch, "runs"), Argv: []string{"test"},
	})
	return result.Dir, err
})

func run(t *testing.T) string {
	t.Helper()
	dir, err := trained()
	require.NoError(t, err)
	return dir
}

func collect(t *testing.T) *exhibit.Bundle {
	t.Helper()
	b, err := playground.Collect(run(t), playground.Options{})
	require.NoError(t, err)
	return b
}

func open(t *testing.T, b *exhibit.Bundle) *exhibit.Exhibit {
	t.Helper()
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	e, err := exhibit.Open(b, backend)
	require.NoError(t, err)
	return e
}

// part is the playground of a bundle; its program is compiled once for all tests.
func part(t *testing.T, b *exhibit.Bundle) playground.Part {
	t.Helper()
	p, err := playground.FromBundle(t.Context(), b, playground.Options{Cache: filepath.Join(scratch, "cache")})
	require.NoError(t, err)
	return p
}
