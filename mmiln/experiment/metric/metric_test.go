package metric_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

type golden struct {
	Cases []struct {
		Name        string
		Pred, Truth []float64
		Scores      metric.Scores
	}
	Summary struct {
		Runs      []metric.Scores
		Mean, Std metric.Scores
	}
	Constant struct {
		Labels       []float32
		Median, Mean float32
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g))
	return g
}

// same compares score by score; NaN equals NaN.
func same(t *testing.T, want, got metric.Scores, tolerance float64) {
	t.Helper()
	assert.Equal(t, want.N, got.N, "n")
	for _, name := range metric.Names() {
		w, err := want.Get(name)
		require.NoError(t, err)
		g, err := got.Get(name)
		require.NoError(t, err)
		if math.IsNaN(w) || math.IsNaN(g) {
			assert.Equal(t, math.IsNaN(w), math.IsNaN(g), "%s: want %v, got %v", name, w, g)
			continue
		}
		assert.InDelta(t, w, g, tolerance, name)
	}
}

func TestEvaluateEqualsScikitLearnAndNumPy(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			got, err := metric.Evaluate(c.Pred, c.Truth)
			require.NoError(t, err)
			same(t, c.Scores, got, 1e-12)
		})
	}
}

func TestEvaluateTakesFloat32(t *testing.T) {
	got, err := metric.Evaluate([]float32{0.5, -1.5}, []float32{0, -2})
	require.NoError(t, err)
	assert.Equal(t, 1.0, got.Acc7)
	assert.Equal(t, 0.5, got.MAE)
}

func TestAConstantWithAnInexactMeanHasNoCorrelation(t *testing.T) {
	got, err := metric.Evaluate([]float64{0.1, 0.1, 0.1}, []float64{1, 2, 3})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(got.Corr))
}

func TestOrderOfExamplesDoesNotMatter(t *testing.T) {
	c := readGolden(t).Cases[0]
	forward, err := metric.Evaluate(c.Pred, c.Truth)
	require.NoError(t, err)
	n := len(c.Pred)
	pred, truth := make([]float64, n), make([]float64, n)
	for i := range n {
		pred[n-1-i], truth[n-1-i] = c.Pred[i], c.Truth[i]
	}
	backward, err := metric.Evaluate(pred, truth)
	require.NoError(t, err)
	same(t, forward, backward, 1e-12)
}

func TestEvaluateRefusesWhatCannotBeScored(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for want, columns := range map[string][2][]float64{
		"no examples":                {{}, {}},
		"2 predictions for 1 labels": {{1, 2}, {1}},
		"prediction 1 is NaN":        {{1, nan}, {1, 2}},
		"prediction 0 is -Inf":       {{inf, 1}, {1, 2}},
		"label 1 is NaN":             {{1, 2}, {1, nan}},
	} {
		_, err := metric.Evaluate(columns[0], columns[1])
		assert.ErrorContains(t, err, want)
	}
}

func TestJSONWritesNaNAsNullAndReadsItBack(t *testing.T) {
	scores, err := metric.Evaluate([]float64{1, 1}, []float64{1, 2})
	require.NoError(t, err)
	text, err := json.Marshal(scores)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"corr":null`)
	var back metric.Scores
	require.NoError(t, json.Unmarshal(text, &back))
	same(t, scores, back, 0)
}

func TestJSONKeysAreTheNames(t *testing.T) {
	text, err := json.Marshal(metric.Scores{})
	require.NoError(t, err)
	var object map[string]any
	require.NoError(t, json.Unmarshal(text, &object))
	for _, name := range metric.Names() {
		assert.Contains(t, object, name)
	}
	assert.Len(t, object, len(metric.Names())+1)
}

func TestJSONThatIsNotScoresIsAnError(t *testing.T) {
	var s metric.Scores
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"mae": "low"}`), &s), "metric: scores")
}

func TestSummaryEqualsNumPyWithOneDegreeOfFreedomLess(t *testing.T) {
	want := readGolden(t).Summary
	got, err := metric.Summarize(want.Runs)
	require.NoError(t, err)
	assert.Equal(t, 5, got.Runs)
	same(t, want.Mean, got.Mean, 1e-12)
	same(t, want.Std, got.Std, 1e-12)
}

func TestSummaryOfOneRunHasNoStd(t *testing.T) {
	got, err := metric.Summarize([]metric.Scores{{MAE: 0.7, N: 3}})
	require.NoError(t, err)
	assert.Equal(t, 0.7, got.Mean.MAE)
	assert.True(t, math.IsNaN(got.Std.MAE))
	text, err := got.Format("mae")
	require.NoError(t, err)
	assert.Equal(t, "0.700", text)
}

func TestSummaryDoesNotAverageACollapsedRunAway(t *testing.T) {
	got, err := metric.Summarize([]metric.Scores{{Corr: 0.8, N: 3}, {Corr: math.NaN(), N: 3}})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(got.Mean.Corr))
}

func TestSummaryRefusesNothingAndMixedSplits(t *testing.T) {
	_, err := metric.Summarize(nil)
	assert.ErrorContains(t, err, "no runs")
	_, err = metric.Summarize([]metric.Scores{{N: 3}, {N: 4}})
	assert.ErrorContains(t, err, "run 1 was scored on 4 examples")
}

func TestOnlyMAEImprovesDownwards(t *testing.T) {
	for _, name := range metric.Names() {
		direction, err := metric.Better(name)
		require.NoError(t, err)
		assert.Equal(t, name == "mae", direction == metric.Lower, name)
	}
}

func TestANumberBeatsNaNAndNaNBeatsNothing(t *testing.T) {
	nan := math.NaN()
	for _, d := range []metric.Direction{metric.Higher, metric.Lower} {
		assert.True(t, d.Better(-5, nan))
		assert.False(t, d.Better(nan, -5))
		assert.False(t, d.Better(nan, nan))
		assert.False(t, d.Better(1, 1))
	}
	assert.True(t, metric.Higher.Better(2, 1))
	assert.True(t, metric.Lower.Better(1, 2))
}

func TestUnknownMetricNamesTheKnownOnes(t *testing.T) {
	_, err := metric.Scores{}.Get("accuracy")
	assert.ErrorContains(t, err, `"accuracy"; there are has0_acc2,`)
	_, err = metric.Better("accuracy")
	assert.Error(t, err)
}

func TestConstantEqualsNumPy(t *testing.T) {
	want := readGolden(t).Constant
	got, err := metric.FitConstant(want.Labels)
	require.NoError(t, err)
	assert.InDelta(t, want.Median, got.Median, 1e-6)
	assert.InDelta(t, want.Mean, got.Mean, 1e-6)
}

func TestMedianOfAnOddNumberIsTheMiddleOneAndLeavesTheLabelsAlone(t *testing.T) {
	labels := []float32{3, -1, 0.5}
	got, err := metric.FitConstant(labels)
	require.NoError(t, err)
	assert.Equal(t, float32(0.5), got.Median)
	assert.Equal(t, []float32{3, -1, 0.5}, labels)
}

func TestConstantRefusesNothingAndNaN(t *testing.T) {
	_, err := metric.FitConstant(nil)
	assert.ErrorContains(t, err, "no training labels")
	_, err = metric.FitConstant([]float32{1, float32(math.NaN())})
	assert.ErrorContains(t, err, "training label 1 is NaN")
}

func ExampleEvaluate() {
	scores, err := metric.Evaluate([]float32{2.1, -0.4, 0.2, -2.5}, []float32{3, -1, 0, -2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(scores)
	// Output: has0_acc2 100.00  has0_f1 100.00  non0_acc2 100.00  non0_f1 100.00  acc3 75.00  acc5 75.00  acc7 50.00  mae 0.550  corr 0.953  n 4
}

func ExampleSummary_Format() {
	summary, err := metric.Summarize([]metric.Scores{{Acc7: 0.44, N: 686}, {Acc7: 0.46, N: 686}})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := summary.Format("acc7")
	fmt.Println(text, err)
	// Output: 45.00 ± 1.41 <nil>
}
