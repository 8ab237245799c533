package statistics_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/statistics"
)

// drawn is a sample of n labels and of seeds runs whose predictions err by noise.
func drawn(draw *rand.Rand, n, seeds int, noise float64) statistics.Sample {
	s := statistics.Sample{Truth: make([]float64, n), Predictions: make([][]float64, seeds)}
	for i := range s.Truth {
		s.Truth[i] = min(max(draw.NormFloat64()*1.5, -3), 3)
	}
	for k := range s.Predictions {
		s.Predictions[k] = make([]float64, n)
		for i, truth := range s.Truth {
			s.Predictions[k][i] = 0.7*truth + noise*draw.NormFloat64()
		}
	}
	return s
}

var six = []string{"has0_acc2", "has0_f1", "non0_acc2", "non0_f1", "mae", "corr"}

// The test split of MOSI, three seeds, as a table asks for it.
func BenchmarkBootstrap(b *testing.B) {
	s := drawn(rand.New(rand.NewPCG(1, 1)), 686, 3, 1)
	for b.Loop() {
		_, err := statistics.Bootstrap(s, six, statistics.Options{Resamples: 10_000, Seed: 1})
		require.NoError(b, err)
	}
}

func BenchmarkPermutation(b *testing.B) {
	draw := rand.New(rand.NewPCG(1, 1))
	s := drawn(draw, 686, 3, 1)
	other := statistics.Sample{Truth: s.Truth, Predictions: drawn(draw, 686, 3, 1).Predictions}
	for b.Loop() {
		_, err := statistics.Permutation(s, other, six, statistics.Options{Resamples: 10_000, Seed: 1})
		require.NoError(b, err)
	}
}
