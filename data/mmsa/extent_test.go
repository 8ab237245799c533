package mmsa

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// padded draws a sequence that begins and ends with values, and a row that holds it among steps of zeros.
func padded(t *rapid.T) (sequence, row []float64, width int) {
	width = rapid.IntRange(1, 3).Draw(t, "width")
	steps := rapid.IntRange(1, 6).Draw(t, "length")
	sequence = rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, -2}), steps*width, steps*width).Draw(t, "sequence")
	sequence[0], sequence[len(sequence)-1] = 1, 1
	padding := make([]float64, width*rapid.IntRange(0, 4).Draw(t, "padding"))
	if rapid.Bool().Draw(t, "front") {
		return sequence, slices.Concat(padding, sequence), width
	}
	return sequence, slices.Concat(sequence, padding), width
}

func TestPaddingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sequence, row, width := padded(t)
		x := stripped(row, width)
		assert.Equal(t, sequence, row[x.from*width:x.to*width])
		x = stated(row, width, len(sequence)/width)
		assert.Equal(t, sequence, row[x.from*width:x.to*width])
	})
}

func TestARowOfZerosHasNoSteps(t *testing.T) {
	assert.Equal(t, extent{}, stripped(make([]float64, 6), 2))
}

func TestARowOfZerosHasTheStepsThatAreStated(t *testing.T) {
	assert.Equal(t, extent{0, 2}, stated(make([]float64, 6), 2, 2))
}

func TestNoiseBeyondAStatedLengthIsNotTheSequence(t *testing.T) {
	assert.Equal(t, extent{0, 1}, stated([]float64{1, 9, 9}, 1, 1))
}
