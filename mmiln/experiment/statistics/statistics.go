// Package statistics says how sure one may be of a score and of a difference between two, from per-example predictions.
//
// What is resampled, everywhere, is the test examples; the trained models are what they are. A row of a table is a model
// trained under S seeds, and its score is the mean of the S runs' scores. An example that is drawn brings the predictions of
// all seeds with it, and where two rows are compared, those of both rows. So the intervals and p-values speak of this set of
// trained models on other examples of the same kind. They do not speak of other seeds: how much those differ is the standard
// deviation over seeds, which stands beside them.
//
// Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (chapter 13, percentile intervals; chapter 16,
// tests); Noreen, "Computer-Intensive Methods for Testing Hypotheses", 1989 (randomisation tests); Berg-Kirkpatrick, Burkett
// and Klein, "An Empirical Investigation of Statistical Significance in NLP", 2012 (the paired bootstrap of scores);
// Davison and Hinkley, "Bootstrap Methods and Their Application", 1997, Section 4.2 (why one is added to both counts);
// Lakens, "Calculating and reporting effect sizes", 2013, Eq. (7) (Cohen's d_z); Holm, "A Simple Sequentially Rejective
// Multiple Test Procedure", 1979.
package statistics

import (
	"fmt"
	"math"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// Sample is what the runs of one row predicted for the same examples.
type Sample struct {
	Truth       []float64   // labels [N]
	Predictions [][]float64 // [S][N], by seed
}

// Options say how often to resample. The same options give the same numbers on every machine, whatever its cores.
type Options struct {
	Resamples int
	Seed      uint64
}

// maxResamples bounds what is kept: 8 bytes a resample and metric.
const maxResamples = 1_000_000

func (o Options) validate() error {
	if o.Resamples < 1 || o.Resamples > maxResamples {
		return fmt.Errorf("statistics: %d resamples; use 1 to %d (10000 is usual)", o.Resamples, maxResamples)
	}
	return nil
}

func (s Sample) validate() error {
	if len(s.Truth) == 0 || len(s.Predictions) == 0 {
		return fmt.Errorf("statistics: %d examples and %d runs; there must be one of each at least", len(s.Truth), len(s.Predictions))
	}
	return nil
}

// scores are the runs' values of a metric, by seed.
func (s Sample) scores(name string) ([]float64, error) {
	values := make([]float64, len(s.Predictions))
	for i, predictions := range s.Predictions {
		scores, err := metric.Evaluate(predictions, s.Truth)
		if err != nil {
			return nil, fmt.Errorf("statistics: run %d: %w", i, err)
		}
		if values[i], err = scores.Get(name); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// score is the mean over seeds of each metric; NaN where one run's is.
func (s Sample) score(metrics []string) ([]float64, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	means := make([]float64, len(metrics))
	for m, name := range metrics {
		values, err := s.scores(name)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			means[m] += v / float64(len(values))
		}
	}
	return means, nil
}

// EffectSize is Cohen's d_z of a against b: the mean over examples of |error of a| − |error of b|, each averaged over the
// row's seeds, divided by the sample standard deviation of that difference. Negative where a errs less. It is NaN where the
// differences are all the same, or if there is one example.
func EffectSize(a, b Sample) (float64, error) {
	if err := comparable(a, b); err != nil {
		return 0, err
	}
	mean, squares := 0.0, 0.0
	for i := range a.Truth { // Welford
		d := a.absoluteError(i) - b.absoluteError(i)
		delta := d - mean
		mean += delta / float64(i+1)
		squares += delta * (d - mean)
	}
	if squares == 0 {
		return math.NaN(), nil
	}
	return mean / math.Sqrt(squares/float64(len(a.Truth)-1)), nil
}

func (s Sample) absoluteError(i int) float64 {
	sum := 0.0
	for _, predictions := range s.Predictions {
		sum += math.Abs(predictions[i] - s.Truth[i])
	}
	return sum / float64(len(s.Predictions))
}

// comparable says whether two rows were tested on the same examples.
func comparable(a, b Sample) error {
	for _, s := range []Sample{a, b} {
		if err := s.validate(); err != nil {
			return err
		}
	}
	if len(a.Truth) != len(b.Truth) {
		return fmt.Errorf("statistics: %d examples against %d; compare runs that were tested on the same ones", len(a.Truth), len(b.Truth))
	}
	for i, truth := range a.Truth {
		if truth != b.Truth[i] {
			return fmt.Errorf("statistics: example %d has the label %v in one and %v in the other; compare runs that were tested on the same examples", i, truth, b.Truth[i])
		}
	}
	return nil
}
