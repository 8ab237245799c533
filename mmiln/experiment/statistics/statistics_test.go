package statistics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/statistics"
)

// Of samples drawn from one source, about 95 % have an interval that holds the source's own error: |N(0, 1)| is 0.798 on average.
func TestIntervalsOfTheErrorCoverTheTruthAsOftenAsTheySay(t *testing.T) {
	draw, covered, simulations := rand.New(rand.NewPCG(3, 3)), 0, 500
	for i := range simulations {
		s := statistics.Sample{Truth: make([]float64, 100), Predictions: [][]float64{make([]float64, 100)}}
		for k := range s.Truth {
			s.Truth[k] = draw.NormFloat64()
			s.Predictions[0][k] = s.Truth[k] + draw.NormFloat64()
		}
		d, err := statistics.Bootstrap(s, []string{"mae"}, statistics.Options{Resamples: 500, Seed: uint64(i)})
		require.NoError(t, err)
		if low, high := d[0].Interval(0.95); low <= math.Sqrt(2/math.Pi) && math.Sqrt(2/math.Pi) <= high {
			covered++
		}
	}
	// The percentile interval of 100 examples is a little short; the binomial deviation of 500 trials is 1 %.
	assert.InDelta(t, 0.945, float64(covered)/float64(simulations), 0.03)
}

// Where two rows are alike, p falls below 5 % in 5 % of samples, for both tests and every kind of metric, whatever the number of
// seeds.
func TestFalseFindingsAreAsRareAsTheySay(t *testing.T) {
	metrics := []string{"mae", "corr", "non0_f1"}
	draw, simulations := rand.New(rand.NewPCG(5, 5)), 400
	permutation, bootstrap := make([]int, 3), make([]int, 3)
	for i := range simulations {
		a := drawn(draw, 80, 2, 1)
		b := statistics.Sample{Truth: a.Truth}
		for range 2 {
			b.Predictions = append(b.Predictions, nil)
			for _, truth := range a.Truth {
				b.Predictions[len(b.Predictions)-1] = append(b.Predictions[len(b.Predictions)-1], 0.7*truth+draw.NormFloat64())
			}
		}
		o := statistics.Options{Resamples: 200, Seed: uint64(i)}
		p, err := statistics.Permutation(a, b, metrics, o)
		require.NoError(t, err)
		left, err := statistics.Bootstrap(a, metrics, o)
		require.NoError(t, err)
		right, err := statistics.Bootstrap(b, metrics, o)
		require.NoError(t, err)
		for k := range metrics {
			if p[k] <= 0.05 {
				permutation[k]++
			}
			if left[k].Minus(right[k]).P() <= 0.05 {
				bootstrap[k]++
			}
		}
	}
	for k, name := range metrics {
		assert.InDelta(t, 0.05, float64(permutation[k])/float64(simulations), 0.035, "permutation, %s", name)
		assert.InDelta(t, 0.05, float64(bootstrap[k])/float64(simulations), 0.035, "bootstrap, %s", name)
	}
}

func TestTheNumbersDependOnTheSeedAloneAndNotOnTheCores(t *testing.T) {
	s := drawn(rand.New(rand.NewPCG(1, 1)), 50, 2, 1)
	of := func(cores int, seed uint64) []statistics.Distribution {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		d, err := statistics.Bootstrap(s, []string{"mae", "corr"}, statistics.Options{Resamples: 1000, Seed: seed})
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, of(1, 7), of(4, 7))
	assert.NotEqual(t, of(1, 7), of(1, 8))
}

func TestARowDoesNotDifferFromItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawn(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), rapid.IntRange(5, 30).Draw(t, "examples"), rapid.IntRange(1, 3).Draw(t, "seeds"), 1)
		o := statistics.Options{Resamples: 100}
		p, err := statistics.Permutation(s, s, []string{"mae", "acc7"}, o)
		require.NoError(t, err)
		assert.Equal(t, []float64{1, 1}, p)
		d, err := statistics.Bootstrap(s, []string{"mae"}, o)
		require.NoError(t, err)
		same := d[0].Minus(d[0])
		assert.Zero(t, same.Value)
		assert.Equal(t, 1.0, same.P())
		dz, err := statistics.EffectSize(s, s)
		require.NoError(t, err)
		assert.True(t, math.IsNaN(dz))
	})
}

func TestExchangingTheRowsChangesSignsAndNoPValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		a := drawn(draw, 30, rapid.IntRange(1, 3).Draw(t, "seeds of a"), 1)
		b := statistics.Sample{Truth: a.Truth, Predictions: drawn(draw, 30, rapid.IntRange(1, 3).Draw(t, "seeds of b"), 2).Predictions}
		o := statistics.Options{Resamples: 100, Seed: 2}
		there, err := statistics.Permutation(a, b, six, o)
		require.NoError(t, err)
		back, err := statistics.Permutation(b, a, six, o)
		require.NoError(t, err)
		assert.Equal(t, there, back)
		dz, err := statistics.EffectSize(a, b)
		require.NoError(t, err)
		zd, err := statistics.EffectSize(b, a)
		require.NoError(t, err)
		assert.InDelta(t, dz, -zd, 1e-12)
	})
}

func TestAConstantPredictionHasNoCorrelationAndNoTestOfIt(t *testing.T) {
	s := drawn(rand.New(rand.NewPCG(1, 1)), 20, 1, 1)
	constant := statistics.Sample{Truth: s.Truth, Predictions: [][]float64{make([]float64, 20)}}
	for i := range constant.Predictions[0] {
		constant.Predictions[0][i] = 0.1
	}
	o := statistics.Options{Resamples: 50}
	d, err := statistics.Bootstrap(constant, []string{"corr", "mae"}, o)
	require.NoError(t, err)
	low, high := d[0].Interval(0.95)
	assert.True(t, math.IsNaN(d[0].Value) && math.IsNaN(low) && math.IsNaN(high) && math.IsNaN(d[0].P()))
	assert.Positive(t, d[1].Value)
	p, err := statistics.Permutation(constant, s, []string{"corr", "mae"}, o)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(p[0]))
	assert.False(t, math.IsNaN(p[1]))
}

func TestHolmLeavesOutWhatIsNoComparison(t *testing.T) {
	got := statistics.Holm([]float64{0.01, math.NaN(), 0.04})
	assert.Equal(t, []float64{0.02, 0.04}, slices.DeleteFunc(got, math.IsNaN))
	assert.Empty(t, statistics.Holm(nil))
}

func TestWhatCannotBeResampledSaysWhy(t *testing.T) {
	s := drawn(rand.New(rand.NewPCG(1, 1)), 10, 1, 1)
	o := statistics.Options{Resamples: 10}
	_, err := statistics.Bootstrap(s, []string{"accuracy"}, o)
	assert.ErrorContains(t, err, `no metric is called "accuracy"; there are has0_acc2`)
	_, err = statistics.Bootstrap(s, six, statistics.Options{})
	assert.ErrorContains(t, err, "0 resamples; use 1 to 1000000")
	_, err = statistics.Bootstrap(statistics.Sample{}, six, o)
	assert.ErrorContains(t, err, "0 examples and 0 runs")
	_, err = statistics.Permutation(s, drawn(rand.New(rand.NewPCG(1, 1)), 9, 1, 1), six, o)
	assert.ErrorContains(t, err, "10 examples against 9; compare runs that were tested on the same ones")
	_, err = statistics.Permutation(s, drawn(rand.New(rand.NewPCG(2, 1)), 10, 1, 1), six, o)
	assert.ErrorContains(t, err, "has the label")
	s.Predictions[0][3] = math.NaN()
	_, err = statistics.Bootstrap(s, six, o)
	assert.ErrorContains(t, err, "prediction 3 is NaN")
}

func TestEveryMetricCanBeResampled(t *testing.T) {
	_, err := statistics.Bootstrap(drawn(rand.New(rand.NewPCG(1, 1)), 10, 1, 1), metric.Names(), statistics.Options{Resamples: 1})
	require.NoError(t, err)
}

func Example() {
	truth := []float64{-2, -1, 0.5, 1, 2, 3, -3, 1.5}
	good := statistics.Sample{Truth: truth, Predictions: [][]float64{{-1.8, -1.1, 0.4, 1.2, 1.9, 2.7, -2.6, 1.4}}}
	poor := statistics.Sample{Truth: truth, Predictions: [][]float64{{-0.8, 0.2, 0.9, -0.2, 0.7, 1.1, -0.9, 0.3}}}
	o := statistics.Options{Resamples: 10_000, Seed: 1}
	p, _ := statistics.Permutation(good, poor, []string{"mae"}, o)
	d, _ := statistics.EffectSize(good, poor)
	fmt.Printf("p = %.3f, d_z = %.2f\n", p[0], d)
	// Output: p = 0.008, d_z = -2.64
}
