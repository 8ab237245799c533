package plots_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
	"github.com/mmiln/workbench/plots"
)

var drawnOnce struct {
	sync.Once
	charts []plots.Chart
}

// every is each chart there is, of one trained run.
func every(t testing.TB) []plots.Chart {
	t.Helper()
	drawnOnce.Do(func() { drawnOnce.charts = draw(t) })
	return drawnOnce.charts
}

func draw(t testing.TB) []plots.Chart {
	t.Helper()
	run := trained(t)
	charts, missing := plots.Of(run, nil)
	require.Empty(t, missing)
	look := lookAt(t, run)
	along, err := plots.AlongOf(look, mmiln.Audio)
	require.NoError(t, err)
	attended, err := plots.AttendedOf(look, "layers.1.sag.audio.self.probabilities")
	require.NoError(t, err)
	rows := tableOf(t, run)
	return append(charts,
		plots.Must(plots.GateSteps(along)), plots.Must(plots.Attention(attended)), plots.Must(plots.Cases(plots.PaperCases())),
		plots.Must(plots.Table2(rows, paper.MOSI, "mae")), plots.Must(plots.Table2(rows, paper.MOSEI, "non0_acc2")),
		plots.Must(plots.Ablations(rows, "corr")), plots.Must(plots.Layers(rows, "mae")),
	)
}

func lookAt(t testing.TB, run *record.Reader) experiment.Look {
	t.Helper()
	look, err := lookedOnce(run.Dir(), run.Manifest().Data.Dir)
	require.NoError(t, err)
	return look
}

var looks sync.Map

func lookedOnce(run, dir string) (look experiment.Look, err error) {
	if found, ok := looks.Load(run); ok {
		return found.(experiment.Look), nil
	}
	backend, err := pureGo()
	if err != nil {
		return look, err
	}
	p, err := experiment.OpenPredictor(run, backend)
	if err != nil {
		return look, err
	}
	development, _, err := data.Open(dir)
	if err != nil {
		return look, err
	}
	look, err = p.Look(development.Valid, 2)
	looks.Store(run, look)
	return look, err
}

func tableOf(t testing.TB, runs ...*record.Reader) *table.Table {
	t.Helper()
	groups, err := plots.Groups(runs)
	require.NoError(t, err)
	rows, err := table.Compute(groups, table.Options{Title: "rows", Resamples: 50})
	require.NoError(t, err)
	return rows
}

func TestEveryChartIsDrawnWithoutAPage(t *testing.T) {
	for _, c := range every(t) {
		svg, err := c.SVG()
		require.NoError(t, err, c.Name)
		found := elements(t, svg)
		assert.Greater(t, found["path"], 5, c.Name)
		assert.Greater(t, found["text"], 3, c.Name)
	}
}

func TestEveryChartSaysWhatToSeeAndNamesItsAxes(t *testing.T) {
	for _, c := range every(t) {
		assert.NotEmpty(t, c.Title, c.Name)
		assert.NotEmpty(t, c.Says, c.Name)
		assert.NotEmpty(t, c.Alt, c.Name)
		assert.NotEmpty(t, c.Table.Rows, c.Name)
		for _, row := range c.Table.Rows {
			assert.Len(t, row, len(c.Table.Columns), c.Name)
		}
		x := option(t, c)["xAxis"].([]any)[0].(map[string]any)
		assert.NotEmpty(t, x["name"], c.Name)
	}
}

func TestEveryChartHasAFileNameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range every(t) {
		assert.False(t, seen[c.Name], c.Name)
		seen[c.Name] = true
	}
}

func TestSeriesDifferInSymbolOrDash(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range option(t, plots.Must(plots.Losses(trained(t))))["series"].([]any) {
		series := s.(map[string]any)
		look := fmt.Sprint(series["symbol"], series["lineStyle"].(map[string]any)["type"])
		assert.False(t, seen[look], look)
		seen[look] = true
	}
}

func TestAGapIsDrawnWhereANumberIsMissing(t *testing.T) {
	c := plots.Must(plots.Cases([]plots.Case{{Text: "a", Truth: math.NaN(), Said: map[string]float64{"x": 1}}}))
	svg, err := c.SVG()
	require.NoError(t, err)
	assert.NotContains(t, string(svg), "NaN")
	assert.Equal(t, "text,system,value\na,label,\na,x,1\n", string(c.Table.CSV()))
}

func TestGatesShowWhatTheRunRecorded(t *testing.T) {
	run := trained(t)
	lines, err := record.Read[experiment.GateLine](run, record.Gates)
	require.NoError(t, err)
	c := plots.Must(plots.Gates(run))
	require.Len(t, c.Table.Rows, len(lines))
	cells := option(t, c)["series"].([]any)[0].(map[string]any)["data"].([]any)
	require.Len(t, cells, len(lines))
	for i, line := range lines {
		assert.Equal(t, line.Mean, c.Table.Rows[i][2])
		assert.InDelta(t, line.Mean, cells[i].([]any)[2], 1e-5)
		assert.EqualValues(t, line.Epoch-1, cells[i].([]any)[0])
	}
}

func TestTrajectoriesBeginAtTheHumanLabel(t *testing.T) {
	c := plots.Must(plots.Trajectories(trained(t), mmiln.Vision, nil))
	for _, row := range c.Table.Rows {
		if row[1] == 1 {
			assert.InDelta(t, row[3], row[2], 1e-6)
		}
	}
}

func TestATruthIsDrawnBesideItsTrajectory(t *testing.T) {
	c := plots.Must(plots.Trajectories(trained(t), mmiln.Audio, map[string]float32{"train-00003": 1.5}, "train-00003"))
	series := option(t, c)["series"].([]any)
	require.Len(t, series, 2)
	assert.Equal(t, "truth of train-00003", series[1].(map[string]any)["name"])
}

func TestAttentionSumsToOneAndIsNamedByWords(t *testing.T) {
	look := lookAt(t, trained(t))
	a, err := plots.AttendedOf(look, "layers.0.sag.vision.self.probabilities")
	require.NoError(t, err)
	for _, row := range a.Weights {
		sum := 0.0
		for _, w := range row {
			sum += w
		}
		assert.InDelta(t, 1, sum, 1e-5)
	}
	assert.Equal(t, look.Info.Lengths[data.Text], len(a.Queries))
	assert.Contains(t, look.Info.Words, a.Queries[0])
}

func TestTable2HasThePapersRowsAndOurs(t *testing.T) {
	c := plots.Must(plots.Table2(tableOf(t, trained(t)), paper.MOSI, "mae"))
	last := c.Table.Rows[len(c.Table.Rows)-1]
	assert.Equal(t, "ours: tiny, planted", last[0])
	assert.Nil(t, last[2], "the paper knows no planted data")
	var found []any
	for _, row := range c.Table.Rows {
		if row[0] == "MMILN" {
			found = row
		}
	}
	assert.Equal(t, 0.709, found[2])
}

func TestARunOfThePapersDataGetsThePapersScores(t *testing.T) {
	scores, note := plots.Reported(record.Manifest{Config: []byte(`{"system": "selfmm"}`), Data: record.Data{Name: "CMU-MOSI"}})
	assert.Equal(t, 0.713, scores["mae"])
	assert.Equal(t, "Table 2, CMU-MOSI", note)
	scores, note = plots.Reported(record.Manifest{Config: []byte(`{"system": "mmiln", "mmiln": {"ablation": "no_mrm"}}`), Data: record.Data{Name: "mosei"}})
	assert.Equal(t, 0.586, scores["mae"])
	assert.Equal(t, "Table 3, MOSEI", note)
}

func TestWhatARunLacksIsAnErrorThatNamesIt(t *testing.T) {
	r, err := record.Create(t.TempDir(), record.Manifest{Model: "empty"})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	run, err := record.Open(r.Dir())
	require.NoError(t, err)
	charts, missing := plots.Of(run, nil)
	assert.Empty(t, charts)
	for _, err := range missing {
		assert.ErrorContains(t, err, r.Dir())
	}
}
