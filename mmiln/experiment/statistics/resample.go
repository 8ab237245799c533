package statistics

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
)

// Distribution is a score, or a difference of two, with its values on resampled examples.
type Distribution struct {
	Value     float64   // on the examples as they are
	Resampled []float64 // in the order of the draws, which is the same for every row of so many examples
}

// Bootstrap draws N examples with replacement, again and again, and scores the mean over seeds on each draw: one Distribution a
// metric. The cost is Resamples·N additions of a row of sums, one to five sums a metric and seed: for 10000 draws of the 686
// examples of MOSI's test split, the paper's six metrics and three seeds 0.14 s on two cores.
func Bootstrap(s Sample, metrics []string, o Options) ([]Distribution, error) {
	sums, values, err := prepare(s, metrics, o)
	if err != nil {
		return nil, err
	}
	m := newMoments(s, sums)
	drawn := bootstrap(m, o, func(draw *rand.Rand, rows []int) {
		for i := range rows {
			rows[i] = draw.IntN(len(rows))
		}
	})
	all := make([]Distribution, len(metrics))
	for k := range all {
		all[k] = Distribution{values[k], drawn[k]}
	}
	return all, nil
}

func prepare(s Sample, metrics []string, o Options) ([]sufficient, []float64, error) {
	if err := o.validate(); err != nil {
		return nil, nil, err
	}
	sums, err := describe(metrics)
	if err != nil {
		return nil, nil, err
	}
	values, err := s.score(metrics)
	return sums, values, err
}

// bootstrap scores resamples [metric][resample]; choose picks the rows of one.
func bootstrap(m moments, o Options, choose func(draw *rand.Rand, rows []int)) [][]float64 {
	return resample(len(m.metrics), o, func(draw *rand.Rand) func(to []float64) {
		rows, sums := make([]int, m.n), make([]float64, m.width)
		return func(to []float64) {
			choose(draw, rows)
			clear(sums)
			for _, i := range rows {
				floats.Add(sums, m.row(i))
			}
			m.values(to, sums)
		}
	})
}

// chunk is how many resamples follow from one stream of random numbers: what a core takes at a time.
const chunk = 128

// resample calls what start returns for every resample, on all cores. Each chunk has a stream of its own, so that the numbers do
// not depend on which core does what. The result is [metric][resample].
func resample(metrics int, o Options, start func(draw *rand.Rand) func(to []float64)) [][]float64 {
	out := make([][]float64, metrics)
	for k := range out {
		out[k] = make([]float64, o.Resamples)
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			to := make([]float64, metrics)
			for c := int(next.Add(1)) - 1; c*chunk < o.Resamples; c = int(next.Add(1)) - 1 {
				one := start(rand.New(rand.NewPCG(o.Seed, uint64(c))))
				for r := c * chunk; r < min((c+1)*chunk, o.Resamples); r++ {
					one(to)
					for k, v := range to {
						out[k][r] = v
					}
				}
			}
		})
	}
	wait.Wait()
	return out
}

// Minus is the paired difference of two rows: both were scored on the same draws.
func (d Distribution) Minus(other Distribution) Distribution {
	drawn := make([]float64, len(d.Resampled))
	for i := range drawn {
		drawn[i] = d.Resampled[i] - other.Resampled[i]
	}
	return Distribution{d.Value - other.Value, drawn}
}

// Interval holds the middle share of the resampled values, such as 0.95: the percentile interval. Draws on which the score is
// undetermined are left out; where it is undetermined on the examples as they are, so is the interval.
func (d Distribution) Interval(share float64) (low, high float64) {
	values := d.determined()
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return quantile(values, (1-share)/2), quantile(values, (1+share)/2)
}

// determined are the resampled values that are numbers; none where the value itself is not.
func (d Distribution) determined() []float64 {
	if math.IsNaN(d.Value) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.Resampled), math.IsNaN)
}

// quantile interpolates between order statistics as np.quantile does (type 7 of Hyndman and Fan, 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// P is the two-sided p-value of the paired bootstrap for a difference of zero: the share of draws whose difference lies as far
// from the observed one as that lies from zero, the observed one counted among them. NaN where the difference is.
func (d Distribution) P() float64 {
	values := d.determined()
	for i := range values {
		values[i] -= d.Value
	}
	return pValue(d.Value, values)
}

// pValue is (1 + how many are at least as far from zero as observed) / (1 + how many).
func pValue(observed float64, under []float64) float64 {
	if math.IsNaN(observed) {
		return math.NaN()
	}
	extreme := 1
	for _, v := range under {
		if math.Abs(v) >= math.Abs(observed)-tolerance {
			extreme++
		}
	}
	return float64(extreme) / float64(1+len(under))
}

// tolerance makes ties of what differs by rounding alone; scores are of the order of one.
const tolerance = 1e-12
