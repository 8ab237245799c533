package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Summary is how one configuration did over several seeds.
type Summary struct {
	Runs int    `json:"runs"`
	Mean Scores `json:"mean"`
	Std  Scores `json:"std"` // sample standard deviation (divided by runs−1); NaN for a single run
}

// Summarize takes mean and sample standard deviation of each metric over runs, one Scores per seed. A metric that is NaN in
// one run is NaN in the summary, so that a collapsed seed is not averaged away.
//
// It is an error if there are no runs, or if they were scored on different numbers of examples.
func Summarize(runs []Scores) (Summary, error) {
	if len(runs) == 0 {
		return Summary{}, errors.New("metric: no runs to summarise; pass at least one")
	}
	s := Summary{Runs: len(runs)}
	s.Mean.N, s.Std.N = runs[0].N, runs[0].N
	for i, run := range runs {
		if run.N != runs[0].N {
			return Summary{}, fmt.Errorf("metric: run %d was scored on %d examples and run 0 on %d; summarise runs of one split", i, run.N, runs[0].N)
		}
	}
	for _, d := range descriptions {
		*d.field(&s.Mean), *d.field(&s.Std) = meanStd(runs, d)
	}
	return s, nil
}

func meanStd(runs []Scores, d description) (mean, std float64) {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = *d.field(&runs[i])
	}
	if len(values) == 1 {
		return values[0], math.NaN()
	}
	return stat.MeanStdDev(values, nil)
}

// Format shows one metric as "mean ± std", or the mean alone for a single run. An unknown name is an error.
func (s Summary) Format(name string) (string, error) {
	d, err := describe(name)
	if err != nil {
		return "", err
	}
	mean := d.format(*d.field(&s.Mean))
	if s.Runs < 2 {
		return mean, nil
	}
	return mean + " ± " + d.format(*d.field(&s.Std)), nil
}

// Constant is the best that a model can do without looking at its input: it predicts one value for every example. A model
// that does not beat it has learned nothing.
type Constant struct {
	Median float32 // the constant with the least mean absolute error on the training labels
	Mean   float32 // the constant with the least mean squared error on them
}

// FitConstant reads both constants off the training labels. It is an error if there are none or if one is not finite.
func FitConstant(train []float32) (Constant, error) {
	if len(train) == 0 {
		return Constant{}, errors.New("metric: no training labels to take a constant from")
	}
	labels, err := widen("training label", train)
	if err != nil {
		return Constant{}, err
	}
	slices.Sort(labels)
	middle := len(labels) / 2
	median := labels[middle]
	if len(labels)%2 == 0 {
		median = (labels[middle-1] + median) / 2
	}
	return Constant{Median: float32(median), Mean: float32(stat.Mean(labels, nil))}, nil
}
