package data

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Normaliser shifts and scales features to mean 0 and standard deviation 1. It is stored with the model that was trained on
// its output. Indexed by [Modality], then by feature; empty where the modality is absent.
type Normaliser struct {
	Mean [3][]float32 `json:"mean"`
	Std  [3][]float32 `json:"std"` // of the population; 1 for a feature that is constant
}

// FitStandard measures every feature over all steps of the training split, in two passes.
func FitStandard(d *Development) Normaliser {
	var n Normaliser
	for _, m := range Modalities {
		if width := d.schema.Width[m]; width > 0 {
			n.Mean[m], n.Std[m] = d.Train.arrays[m].moments(width)
		}
	}
	return n
}

func (r ragged) moments(width int) (mean, std []float32) {
	mean, std = make([]float32, width), make([]float32, width)
	average, variance := make([]float64, width), make([]float64, width)
	n := float64(r.array.Shape[0])
	r.eachStep(width, func(step []float32) {
		for i, v := range step {
			average[i] += float64(v)
		}
	})
	floats.Scale(1/n, average)
	r.eachStep(width, func(step []float32) {
		for i, v := range step {
			off := float64(v) - average[i]
			variance[i] += off * off
		}
	})
	floats.Scale(1/n, variance)
	for i := range mean {
		mean[i], std[i] = float32(average[i]), float32(math.Sqrt(variance[i]))
		// What rounding alone can make of a constant, as in scikit-learn's StandardScaler (_is_constant_feature).
		const eps = 0x1p-52
		rounding := n * eps * average[i]
		if std[i] == 0 || variance[i] <= n*eps*variance[i]+rounding*rounding {
			std[i] = 1
		}
	}
	return mean, std
}

// eachStep visits all steps; what it passes on is valid until the next.
func (r ragged) eachStep(width int, visit func(step []float32)) {
	total := r.array.Len()
	buffer := make([]float32, min(total, 1024*width))
	for at := 0; at < total; at += len(buffer) {
		part := buffer[:min(len(buffer), total-at)]
		r.array.Floats(part, at)
		for step := range slices.Chunk(part, width) {
			visit(step)
		}
	}
}

// WithNormaliser is a view of examples whose batches are normalised. Padding stays zero.
func WithNormaliser(n Normaliser, examples Examples) Examples { return normalised{examples, n} }

type normalised struct {
	Examples
	Normaliser
}

// Batch implements [Examples]. Features other than those that the normaliser was fitted on are an error.
func (v normalised) Batch(rows []int, steps [3]int) (*Batch, error) {
	b, err := v.Examples.Batch(rows, steps)
	if err != nil {
		return nil, err
	}
	for m, q := range b.Sequences {
		mean, std := v.Mean[m], v.Std[m]
		if len(mean) != q.Width || len(std) != q.Width {
			return nil, fmt.Errorf("data: %s has %d features and the normaliser was fitted on %d; use the data set of training", Modality(m), q.Width, len(mean))
		}
		for i, length := range q.Lengths {
			for t := range int(length) {
				step := q.Values[(i*q.Steps+t)*q.Width:][:q.Width]
				for j := range step {
					step[j] = (step[j] - mean[j]) / std[j]
				}
			}
		}
	}
	return b, nil
}
