package planted

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

// Without noise, what all events say along the cue's direction adds up to the latent.
func TestEventsAddUpToTheLatent(t *testing.T) {
	c := Demo()
	c.Noise = [3]float64{}
	g := newGenerator(c)
	for row := range 50 {
		e := g.example(0, row)
		for _, m := range []data.Modality{data.Audio, data.Vision} {
			sum := 0.0
			for i, v := range e.Values[m] {
				sum += float64(v) * g.streams[m].cue[i%c.Width[m]]
			}
			require.InDelta(t, e.Info.Unimodal[m], sum/g.streams[m].gain, 1e-4, "%s of %s", m, e.Info.ID)
		}
	}
}

// An event lasts a few steps; the others carry no sentiment.
func TestMostStepsSayNothing(t *testing.T) {
	c := MOSI()
	c.Noise = [3]float64{}
	g := newGenerator(c)
	silent, steps := 0, 0
	for row := range 100 {
		e := g.example(0, row)
		for t := range e.Info.Lengths[data.Audio] {
			frame := e.Values[data.Audio][t*c.Width[data.Audio]:][:c.Width[data.Audio]]
			along := 0.0
			for i, v := range frame {
				along += float64(v) * g.streams[data.Audio].cue[i]
			}
			steps++
			if along*along < 1e-6 {
				silent++
			}
		}
	}
	assert.Greater(t, float64(silent)/float64(steps), 0.5)
}

func TestDirectionsAreOrthonormal(t *testing.T) {
	u := MOSI().directions(data.Vision, 3)
	for i := range u {
		for j := range u {
			want := 0.0
			if i == j {
				want = 1
			}
			assert.InDelta(t, want, dot(u[i], u[j]), 1e-12)
		}
	}
}

func TestNormalDrawsHaveMeanZeroAndVarianceOne(t *testing.T) {
	r := MOSI().draws(0, 0, forWords)
	sum, squares := 0.0, 0.0
	const n = 100000
	for range n {
		v := r.normal()
		sum += v
		squares += v * v
	}
	assert.InDelta(t, 0, sum/n, 0.02)
	assert.InDelta(t, 1, squares/n, 0.03)
}

func TestBelowCoversItsRangeEvenly(t *testing.T) {
	r := MOSI().draws(0, 0, forWords)
	counts := make([]int, 5)
	for range 50000 {
		counts[r.below(len(counts))]++
	}
	for v, n := range counts {
		assert.InDelta(t, 10000, n, 500, "%d", v)
	}
}
