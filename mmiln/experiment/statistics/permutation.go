package statistics

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Permutation is the paired permutation test, approximated at random: where the two rows are alike, whose prediction of an
// example is whose does not matter. Each draw exchanges the rows' predictions of every example with probability one half, in
// all seeds together, and the p-value of a metric is the share of draws whose difference is as far from zero as the observed
// one, two-sided, the observed one counted among them. NaN where the metric is undetermined for a row.
//
// Seeds are paired in order. Where one row has more, the runs of both are repeated to the least common multiple, so that each
// counts as much as before.
func Permutation(a, b Sample, metrics []string, o Options) ([]float64, error) {
	if err := comparable(a, b); err != nil {
		return nil, err
	}
	sums, valuesA, err := prepare(a, metrics, o)
	if err != nil {
		return nil, err
	}
	valuesB, err := b.score(metrics)
	if err != nil {
		return nil, err
	}
	seeds := leastCommonMultiple(len(a.Predictions), len(b.Predictions))
	drawn := permute(newMoments(a.repeated(seeds), sums), newMoments(b.repeated(seeds), sums), o, bitwise)
	p := make([]float64, len(metrics))
	for k := range p {
		p[k] = pValue(valuesA[k]-valuesB[k], slices.DeleteFunc(drawn[k], math.IsNaN))
	}
	return p, nil
}

// permute scores differences after exchanges [metric][resample]; choose says which examples are exchanged.
func permute(a, b moments, o Options, choose func(draw *rand.Rand, exchanged []bool)) [][]float64 {
	totalA, totalB := a.total(), b.total()
	gain := slices.Clone(b.rows)
	floats.Sub(gain, a.rows)
	return resample(len(a.metrics), o, func(draw *rand.Rand) func(to []float64) {
		exchanged := make([]bool, a.n)
		moved, sums, other := make([]float64, a.width), make([]float64, a.width), make([]float64, len(a.metrics))
		return func(to []float64) {
			choose(draw, exchanged)
			clear(moved)
			for i, swap := range exchanged {
				if swap {
					floats.Add(moved, gain[i*a.width:(i+1)*a.width])
				}
			}
			a.values(to, floats.AddTo(sums, totalA, moved))
			b.values(other, floats.SubTo(sums, totalB, moved))
			floats.Sub(to, other)
		}
	})
}

// bitwise takes 64 examples from a random number.
func bitwise(draw *rand.Rand, exchanged []bool) {
	var bits uint64
	for i := range exchanged {
		if i%64 == 0 {
			bits = draw.Uint64()
		}
		exchanged[i] = bits&1 == 1
		bits >>= 1
	}
}

func (s Sample) repeated(seeds int) Sample {
	all := Sample{Truth: s.Truth}
	for len(all.Predictions) < seeds {
		all.Predictions = append(all.Predictions, s.Predictions...)
	}
	return all
}

func leastCommonMultiple(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}
