package statistics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// sufficient describes a metric as a function of sums over examples, so that scoring a resample is adding up rows.
type sufficient struct {
	width int // sums
	// terms writes what an example adds to the sums. Prediction and truth are shifted by a constant of the sample for Corr,
	// whose variances would otherwise cancel.
	terms func(to []float64, pred, truth, shift float64)
	value func(sums []float64, n float64) float64
}

var described = map[string]sufficient{
	"has0_acc2": {1, agree(func(v float64) float64 { return sign(v >= 0) }), share},
	"has0_f1":   {4, confuse(func(v float64) bool { return v >= 0 }, false), weightedF1},
	"non0_acc2": {2, agreeNonZero, ratio},
	"non0_f1":   {4, confuse(func(v float64) bool { return v > 0 }, true), weightedF1},
	"acc3":      {1, agree(func(v float64) float64 { return class(v, 1) }), share},
	"acc5":      {1, agree(func(v float64) float64 { return class(v, 2) }), share},
	"acc7":      {1, agree(func(v float64) float64 { return class(v, 3) }), share},
	"mae":       {1, func(to []float64, pred, truth, _ float64) { to[0] = math.Abs(pred - truth) }, share},
	"corr":      {5, products, pearson},
}

func describe(metrics []string) ([]sufficient, error) {
	all := make([]sufficient, len(metrics))
	for i, name := range metrics {
		found, ok := described[name]
		if !ok {
			if _, err := metric.Better(name); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("statistics: %s cannot be resampled", name)
		}
		all[i] = found
	}
	return all, nil
}

func sign(positive bool) float64 {
	if positive {
		return 1
	}
	return -1
}

// class rounds half to even, as package metric does.
func class(v, limit float64) float64 { return math.RoundToEven(min(max(v, -limit), limit)) }

// agree adds 1 where prediction and truth are of one class.
func agree(class func(float64) float64) func(to []float64, pred, truth, shift float64) {
	return func(to []float64, pred, truth, _ float64) {
		if class(pred) == class(truth) {
			to[0] = 1
		}
	}
}

// agreeNonZero leaves out labels of zero.
func agreeNonZero(to []float64, pred, truth, _ float64) {
	if truth == 0 {
		return
	}
	to[1] = 1
	if (pred > 0) == (truth > 0) {
		to[0] = 1
	}
}

// confuse counts an example as [truth][prediction].
func confuse(positive func(float64) bool, leaveOutZero bool) func(to []float64, pred, truth, shift float64) {
	return func(to []float64, pred, truth, _ float64) {
		if leaveOutZero && truth == 0 {
			return
		}
		at := 0
		if positive(truth) {
			at = 2
		}
		if positive(pred) {
			at++
		}
		to[at] = 1
	}
}

func products(to []float64, pred, truth, shift float64) {
	p, t := pred-shift, truth-shift
	to[0], to[1], to[2], to[3], to[4] = p, t, p*p, t*t, p*t
}

func share(sums []float64, n float64) float64 { return sums[0] / n }

func ratio(sums []float64, _ float64) float64 { return sums[0] / sums[1] }

// weightedF1 is the mean of the classes' F1 weighted by their labels; a class that is neither labelled nor predicted has 0.
func weightedF1(c []float64, _ float64) float64 {
	total, sum := c[0]+c[1]+c[2]+c[3], 0.0
	for class := range 2 {
		labelled, predicted := c[2*class]+c[2*class+1], c[class]+c[2+class]
		if labelled > 0 {
			sum += labelled * 2 * c[3*class] / (labelled + predicted)
		}
	}
	return sum / total
}

// pearson is NaN where predictions or labels do not vary.
func pearson(s []float64, n float64) float64 {
	varP, varT := s[2]-s[0]*s[0]/n, s[3]-s[1]*s[1]/n
	if varP <= 1e-13*s[2] || varT <= 1e-13*s[3] {
		return math.NaN()
	}
	return min(max((s[4]-s[0]*s[1]/n)/math.Sqrt(varP*varT), -1), 1)
}

// moments are what every example adds to the sums of every seed and metric.
type moments struct {
	metrics []sufficient
	seeds   int
	n       int
	width   int       // sums of all seeds
	rows    []float64 // [n, width]
}

func newMoments(s Sample, metrics []sufficient) moments {
	m := moments{metrics: metrics, seeds: len(s.Predictions), n: len(s.Truth)}
	for _, described := range metrics {
		m.width += described.width * m.seeds
	}
	m.rows = make([]float64, m.n*m.width)
	shift := floats.Sum(s.Truth) / float64(m.n)
	for i, truth := range s.Truth {
		to := m.row(i)
		for _, predictions := range s.Predictions {
			for _, described := range metrics {
				described.terms(to[:described.width], predictions[i], truth, shift)
				to = to[described.width:]
			}
		}
	}
	return m
}

func (m moments) row(i int) []float64 { return m.rows[i*m.width : (i+1)*m.width] }

// total sums all examples.
func (m moments) total() []float64 {
	sums := make([]float64, m.width)
	for i := range m.n {
		floats.Add(sums, m.row(i))
	}
	return sums
}

// values writes the mean over seeds of each metric.
func (m moments) values(to, sums []float64) {
	clear(to)
	for range m.seeds {
		for k, described := range m.metrics {
			to[k] += described.value(sums[:described.width], float64(m.n)) / float64(m.seeds)
			sums = sums[described.width:]
		}
	}
}
