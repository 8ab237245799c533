package mmiln_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mmiln/workbench/mmiln"
)

// cmd is Eq. (24) as it is printed, in double precision; x and y are [B, d].
func cmd(x, y [][]float64, orders int, span float64) float64 {
	total := 0.0
	for j := 1; j <= orders; j++ {
		square := 0.0
		for k := range x[0] {
			d := moment(x, k, j) - moment(y, k, j)
			square += d * d
		}
		total += math.Sqrt(square) / math.Pow(span, float64(j))
	}
	return total
}

// moment is the mean of column k for j = 1, and its j-th central moment for j > 1.
func moment(x [][]float64, k, j int) float64 {
	mean, sum := 0.0, 0.0
	for _, row := range x {
		mean += row[k] / float64(len(x))
	}
	if j == 1 {
		return mean
	}
	for _, row := range x {
		sum += math.Pow(row[k]-mean, float64(j)) / float64(len(x))
	}
	return sum
}

// rows cuts a tap [B, d] into rows.
func rows(flat []float32, n int) [][]float64 {
	d := len(flat) / n
	out := make([][]float64, n)
	for i, v := range flat {
		out[i/d] = append(out[i/d], float64(v))
	}
	return out
}

func TestSimilarityIsTheDefinitionOfCMDForEveryReading(t *testing.T) {
	for orders := 1; orders <= 7; orders++ {
		c, b := tiny(), random()
		c.Readings.Orders, c.Readings.Span = orders, []float64{2, 1}[orders%2]
		o := run(t, c, b, true)
		for layer, sim := range o.sim {
			h := func(n string) [][]float64 { return rows(o.taps[fmt.Sprintf("layers.%d.sag.%s.h", layer, n)], b.size()) }
			assert.InEpsilon(t, cmd(h("audio"), h("vision"), orders, c.Readings.Span), sim, 1e-4, "K = %d", orders)
		}
	}
}

// taskLoss is Eq. (35) as it is printed.
func taskLoss(predictions, labels [3][]float32) float64 {
	total := 0.0
	for i := range labels[0] {
		y := float64(labels[0][i])
		total += math.Pow(float64(predictions[0][i])-y, 2)
		for n := 1; n < 3; n++ {
			pseudo := float64(labels[n][i])
			total += math.Tanh(math.Abs(pseudo-y)) * math.Abs(float64(predictions[n][i])-pseudo)
		}
	}
	return total / float64(len(labels[0]))
}

func TestTheTaskLossIsItsDefinition(t *testing.T) {
	c, b := tiny(), random()
	c.Ablation = "no_mrm"
	o := run(t, c, b, false)
	assert.InDelta(t, taskLoss(o.predictions, b.labels), o.loss, 1e-5)
}

func TestAPseudoLabelThatEqualsTheLabelHasNoWeight(t *testing.T) {
	c, b := tiny(), random()
	c.Ablation = mmiln.Ablations[1]
	b.labels[1], b.labels[2] = b.labels[0], b.labels[0]
	o := run(t, c, b, false)
	square := 0.0
	for i, p := range o.predictions[0] {
		square += math.Pow(float64(p)-float64(b.labels[0][i]), 2) / float64(b.size())
	}
	assert.InDelta(t, square, o.loss, 1e-5)
}
