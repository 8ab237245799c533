// Package metric scores predicted sentiment as MMSA does, so that numbers can stand beside those of the literature:
// binary accuracy and weighted F1 with and without the neutral examples, accuracy in seven, five and three classes, mean
// absolute error and Pearson's correlation. Every share is a fraction in [0, 1]; [Scores.Format] shows it as a percentage.
package metric

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Scores is how one model did on one split.
//
// A score that the data do not determine is NaN: Corr where predictions or labels are constant (or N is 1), Non0Acc2 and
// Non0F1 where every label is zero. JSON has no NaN; there it is null, and null is read back as NaN.
type Scores struct {
	Has0Acc2 float64 // accuracy of pred ≥ 0 against truth ≥ 0, over all examples
	Has0F1   float64 // weighted F1 of the same two classes
	Non0Acc2 float64 // accuracy of pred > 0 against truth > 0, where truth ≠ 0
	Non0F1   float64 // weighted F1 of the same two classes
	Acc3     float64 // both clipped to ±1 and rounded half to even
	Acc5     float64 // the same with ±2
	Acc7     float64 // the same with ±3
	MAE      float64 // mean absolute error, in units of the label
	Corr     float64 // Pearson's correlation, in [-1, 1]
	N        int     // examples
}

// Evaluate scores predictions against labels, example by example. Sums are in float64 whatever the input.
//
// It is an error if there are no examples, if the two differ in length, or if a value is NaN or infinite.
func Evaluate[F float32 | float64](pred, truth []F) (Scores, error) {
	p, t, err := finite(pred, truth)
	if err != nil {
		return Scores{}, err
	}
	has0, non0 := hasZero(p, t), nonZero(p, t)
	return Scores{
		Has0Acc2: has0.accuracy(), Has0F1: has0.weightedF1(),
		Non0Acc2: non0.accuracy(), Non0F1: non0.weightedF1(),
		Acc3: classAccuracy(p, t, 1), Acc5: classAccuracy(p, t, 2), Acc7: classAccuracy(p, t, 3),
		MAE: meanAbsolute(p, t), Corr: pearson(p, t), N: len(p),
	}, nil
}

// finite checks both columns and widens them to float64.
func finite[F float32 | float64](pred, truth []F) (p, t []float64, err error) {
	if len(pred) != len(truth) {
		return nil, nil, fmt.Errorf("metric: %d predictions for %d labels; pass one prediction per label", len(pred), len(truth))
	}
	if len(pred) == 0 {
		return nil, nil, errors.New("metric: no examples to score; pass at least one")
	}
	if p, err = widen("prediction", pred); err != nil {
		return nil, nil, err
	}
	t, err = widen("label", truth)
	return p, t, err
}

func widen[F float32 | float64](what string, values []F) ([]float64, error) {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
		if math.IsNaN(wide[i]) || math.IsInf(wide[i], 0) {
			return nil, fmt.Errorf("metric: %s %d is %v; only finite values can be scored (has training diverged?)", what, i, v)
		}
	}
	return wide, nil
}

// classAccuracy is the share of examples that fall into the same of 2·limit+1 classes.
func classAccuracy(pred, truth []float64, limit float64) float64 {
	same := 0
	for i := range pred {
		if class(pred[i], limit) == class(truth[i], limit) {
			same++
		}
	}
	return float64(same) / float64(len(pred))
}

// class rounds half to even, as np.round does.
func class(v, limit float64) float64 { return math.RoundToEven(min(max(v, -limit), limit)) }

func meanAbsolute(pred, truth []float64) float64 {
	sum := 0.0
	for i := range pred {
		sum += math.Abs(pred[i] - truth[i])
	}
	return sum / float64(len(pred))
}

// pearson is NaN for a constant column. It says so from the values themselves: where the mean is not exact, as for three
// times 0.1, np.corrcoef divides one rounding error by another and returns a number that means nothing.
func pearson(pred, truth []float64) float64 {
	if constant(pred) || constant(truth) {
		return math.NaN()
	}
	return min(max(stat.Correlation(pred, truth, nil), -1), 1)
}

func constant(values []float64) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}
