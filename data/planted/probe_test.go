package planted_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// mosi is generated once for all tests that only read it.
var mosi = sync.OnceValues(func() (*planted.Set, error) { return planted.Generate(planted.MOSI()) })

func readMOSI(t *testing.T) *planted.Set {
	t.Helper()
	set, err := mosi()
	require.NoError(t, err)
	return set
}

// pooled sums the steps of the modalities asked for and appends a constant: [examples, Σ width + 1].
func pooled(split planted.Split, modalities ...data.Modality) *mat.Dense {
	width := 1
	for _, m := range modalities {
		width += split.Sequences[m].Width
	}
	x := mat.NewDense(len(split.Infos), width, nil)
	for row := range split.Infos {
		sums := x.RawRowView(row)
		sums[width-1] = 1
		for _, m := range modalities {
			s := split.Sequences[m]
			for i := range s.Steps * s.Width {
				sums[i%s.Width] += float64(s.Values[row*s.Steps*s.Width+i])
			}
			sums = sums[s.Width:]
		}
	}
	return x
}

// target reads one number per example.
func target(split planted.Split, read func(data.Info) float64) []float64 {
	y := make([]float64, len(split.Infos))
	for i, info := range split.Infos {
		y[i] = read(info)
	}
	return y
}

func label(info data.Info) float64 { return float64(info.Label) }

func latent(m data.Modality) func(data.Info) float64 {
	return func(info data.Info) float64 { return float64(info.Unimodal[m]) }
}

// residuals fits least squares on the training split and returns what it leaves unexplained on the test split.
func residuals(t *testing.T, set *planted.Set, read func(data.Info) float64, modalities ...data.Modality) []float64 {
	t.Helper()
	var weights mat.VecDense
	train := target(set.Train, read)
	require.NoError(t, weights.SolveVec(pooled(set.Train, modalities...), mat.NewVecDense(len(train), train)))
	truth := target(set.Test, read)
	var predicted mat.VecDense
	predicted.MulVec(pooled(set.Test, modalities...), &weights)
	for i := range truth {
		truth[i] -= predicted.AtVec(i)
	}
	return truth
}

// explained is R² on the test split of a linear probe on pooled features.
func explained(t *testing.T, set *planted.Set, read func(data.Info) float64, modalities ...data.Modality) float64 {
	t.Helper()
	left := residuals(t, set, read, modalities...)
	return 1 - stat.Variance(left, nil)/stat.Variance(target(set.Test, read), nil)
}
