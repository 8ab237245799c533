package statistics

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// golden is testdata/golden.json; see make_golden.py beside it.
type golden struct {
	Cases []goldenCase
	Exact struct {
		goldenRows
		P        map[string]float64
		Interval map[string][2]float64
	}
	Holm struct{ P, Adjusted []float64 }
}

type goldenRows struct {
	Truth []float64
	A, B  [][]float64
}

func (g goldenRows) samples() (a, b Sample) { return Sample{g.Truth, g.A}, Sample{g.Truth, g.B} }

type goldenCase struct {
	goldenRows
	Rows    [][]int
	Swaps   [][]bool
	DZ      float64 `json:"d_z"`
	Metrics map[string]struct {
		A, B         float64
		IntervalA    [2]float64 `json:"interval_a"`
		Difference   float64
		Interval     [2]float64
		PBootstrap   float64 `json:"p_bootstrap"`
		PPermutation float64 `json:"p_permutation"`
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g))
	return g
}

// replay hands out draws that were made elsewhere, in order; they must fit in one chunk, which one goroutine does.
func replay[T any](t *testing.T, draws [][]T) func(*rand.Rand, []T) {
	t.Helper()
	require.LessOrEqual(t, len(draws), chunk)
	next := 0
	return func(_ *rand.Rand, to []T) {
		copy(to, draws[next])
		next++
	}
}

func (g goldenCase) distributions(t *testing.T, s Sample) []Distribution {
	t.Helper()
	o := Options{Resamples: len(g.Rows)}
	sums, values, err := prepare(s, metric.Names(), o)
	require.NoError(t, err)
	drawn := bootstrap(newMoments(s, sums), o, replay(t, g.Rows))
	all := make([]Distribution, len(values))
	for k := range all {
		all[k] = Distribution{values[k], drawn[k]}
	}
	return all
}

func TestBootstrapAgreesWithNumPyOnTheSameDraws(t *testing.T) {
	for _, g := range readGolden(t).Cases {
		sampleA, sampleB := g.samples()
		a, b := g.distributions(t, sampleA), g.distributions(t, sampleB)
		for k, name := range metric.Names() {
			want := g.Metrics[name]
			assert.InDelta(t, want.A, a[k].Value, 1e-12, name)
			assert.InDelta(t, want.B, b[k].Value, 1e-12, name)
			low, high := a[k].Interval(0.95)
			assert.InDeltaSlice(t, want.IntervalA[:], []float64{low, high}, 1e-12, name)
			d := a[k].Minus(b[k])
			assert.InDelta(t, want.Difference, d.Value, 1e-12, name)
			low, high = d.Interval(0.95)
			assert.InDeltaSlice(t, want.Interval[:], []float64{low, high}, 1e-12, name)
			assert.InDelta(t, want.PBootstrap, d.P(), 1e-12, name)
		}
	}
}

func TestPermutationAgreesWithNumPyOnTheSameExchanges(t *testing.T) {
	for _, g := range readGolden(t).Cases {
		a, b := g.samples()
		o := Options{Resamples: len(g.Swaps)}
		sums, _, err := prepare(a, metric.Names(), o)
		require.NoError(t, err)
		seeds := leastCommonMultiple(len(a.Predictions), len(b.Predictions))
		drawn := permute(newMoments(a.repeated(seeds), sums), newMoments(b.repeated(seeds), sums), o, replay(t, g.Swaps))
		for k, name := range metric.Names() {
			assert.InDelta(t, g.Metrics[name].PPermutation, pValue(g.Metrics[name].Difference, drawn[k]), 1e-12, name)
		}
	}
}

func TestPermutationApproachesTheExactTest(t *testing.T) {
	exact := readGolden(t).Exact
	a, b := exact.samples()
	p, err := Permutation(a, b, []string{"mae", "corr"}, Options{Resamples: 100_000, Seed: 1})
	require.NoError(t, err)
	assert.InDelta(t, exact.P["mae"], p[0], 0.006) // four standard errors
	assert.InDelta(t, exact.P["corr"], p[1], 0.006)
}

func TestIntervalsAreThoseOfSciPy(t *testing.T) {
	exact := readGolden(t).Exact
	a, _ := exact.samples()
	d, err := Bootstrap(a, []string{"mae", "corr"}, Options{Resamples: 100_000, Seed: 1})
	require.NoError(t, err)
	for k, name := range []string{"mae", "corr"} {
		low, high := d[k].Interval(0.95)
		want := exact.Interval[name]
		assert.InDeltaSlice(t, want[:], []float64{low, high}, 0.01, name) // scipy draws 20000 times
	}
}

func TestEffectSizeAgreesWithNumPy(t *testing.T) {
	for _, g := range readGolden(t).Cases {
		a, b := g.samples()
		d, err := EffectSize(a, b)
		require.NoError(t, err)
		assert.InDelta(t, g.DZ, d, 1e-12)
	}
}

func TestHolmAgreesWithStatsmodels(t *testing.T) {
	holm := readGolden(t).Holm
	assert.InDeltaSlice(t, holm.Adjusted, Holm(holm.P), 1e-12)
}
