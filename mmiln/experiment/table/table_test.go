package table_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/table"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every kind of row: a reference, one that differs, one with a single seed, one that only the paper has.
func example(t *testing.T) *table.Table {
	t.Helper()
	t.Chdir(t.TempDir())
	groups := []table.Group{
		{
			Name: "MMILN", Data: "made-up", Runs: fake{name: "mmiln", noise: 0.5}.saveAll(t, "runs", 1, 2, 3),
			Paper: map[string]float64{"non0_acc2": 0.8584, "mae": 0.712}, PaperNote: "Table 2, MOSI",
			Search: "dropout in 0, 0.1, 0.3 (grid, 3 trials, validation MAE 0.512)",
		},
		{Name: "Self-MM", Data: "made-up", Runs: fake{name: "selfmm", noise: 1.5, layers: 2}.saveAll(t, "runs", 1, 2)},
		{Name: "-MRM", Data: "made-up", Runs: fake{name: "mrm", noise: 0.55, layers: 3}.saveAll(t, "runs", 1)},
		{Name: "TFN", Data: "MOSI", Paper: map[string]float64{"non0_acc2": 0.808}, PaperNote: "Table 2, MOSI"},
	}
	got, err := table.Compute(groups, table.Options{Title: "Models", Reference: "MMILN", Resamples: 500, Seed: 7, Metrics: []string{"non0_acc2", "mae", "corr"}})
	require.NoError(t, err)
	return got
}

func TestEachFormatIsWhatItWas(t *testing.T) {
	golden, err := filepath.Abs("testdata")
	require.NoError(t, err)
	got := example(t)
	for format, name := range map[string]string{
		"terminal": "table.txt", "markdown": "table.md", "latex": "table.tex", "csv": "table.csv", "json": "table.json",
	} {
		var out bytes.Buffer
		require.NoError(t, got.Write(&out, format))
		path := filepath.Join(golden, name)
		if *update {
			require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), out.String(), format)
	}
}
