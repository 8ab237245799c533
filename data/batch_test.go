package data_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/data"
)

// Whatever rows and padding are asked for, a batch is what was added, and zeros.
func TestABatchIsWhatWasAddedPaddedWithZeros(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	rapid.Check(t, func(r *rapid.T) {
		rows := rapid.SliceOfN(rapid.IntRange(0, sizes[data.Train]-1), 1, 12).Draw(r, "rows")
		steps := [3]int{rapid.IntRange(11, 20).Draw(r, "text"), rapid.IntRange(1, 3).Draw(r, "audio"), rapid.IntRange(0, 2).Draw(r, "vision")}
		b, err := d.Train.Batch(rows, steps)
		require.NoError(r, err)
		require.Equal(r, rows, b.Rows)
		for i, row := range rows {
			want := example(data.Train, row)
			for m, q := range b.Sequences {
				size := q.Steps * q.Width
				padded := append(append([]float32{}, want.Values[m]...), make([]float32, size-len(want.Values[m]))...)
				require.Equal(r, padded, append([]float32{}, q.Values[i*size:(i+1)*size]...))
				require.Equal(r, int32(want.Info.Lengths[m]), q.Lengths[i])
			}
			ids := append(append([]int32{}, want.Tokens...), make([]int32, steps[data.Text]-len(want.Tokens))...)
			require.Equal(r, ids, b.Tokens[i*steps[data.Text]:(i+1)*steps[data.Text]])
			require.Equal(r, int32(len(want.Tokens)), b.TokenLengths[i])
			require.Equal(r, want.Info.Label, b.Labels[i])
			require.Equal(r, want.Info.Unimodal[data.Text], b.Unimodal[data.Text][i])
		}
	})
}

func TestZeroStepsStandForTheLongestRow(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	b, err := d.Train.Batch([]int{0, 4, 2}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, 7, b.Sequences[data.Text].Steps, "of token ids, of which there are more than steps of text")
	assert.Equal(t, 1, b.Sequences[data.Audio].Steps)
	assert.Equal(t, data.Sequences{Lengths: make([]int32, 3), Steps: 1}, b.Sequences[data.Vision], "an absent modality")
}

func TestABatchThatCutsARowIsRefused(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	_, err := d.Train.Batch([]int{0, 4}, [3]int{6, 1, 1})
	assert.ErrorContains(t, err, `example "train-4" has 7 steps of text, and the batch is padded to 6`)
}

func TestARowThatIsNotThereIsRefused(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	for _, row := range []int{-1, 9} {
		_, err := d.Train.Batch([]int{row}, [3]int{})
		assert.ErrorContains(t, err, fmt.Sprintf("there is no row %d; rows are 0 to 8", row))
	}
}

// Run with -race.
func TestBatchesCanBeMadeConcurrently(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	want, err := d.Train.Batch([]int{3, 8, 1}, [3]int{})
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				got, err := d.Train.Batch([]int{3, 8, 1}, [3]int{})
				assert.NoError(t, err)
				assert.Equal(t, want.Sequences, got.Sequences)
			}
		})
	}
	all.Wait()
}

func TestAnEmptyModalityBecomesOneStepOfZerosAndIsCounted(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	e := example(data.Valid, 20)
	e.Values[data.Audio], e.Info.Lengths[data.Audio] = nil, 0
	require.NoError(t, w.Add(data.Valid, e))
	card, err := w.Close()
	require.NoError(t, err)
	assert.Equal(t, 1, card.Splits[data.Valid].Modalities[data.Audio].Empty)
	assert.Equal(t, 0, card.Splits[data.Valid].Modalities[data.Text].Empty)

	d, _ := open(t, dir)
	b, err := d.Valid.Batch([]int{d.Valid.Len() - 1}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, data.Sequences{Values: []float32{0, 0, 0}, Lengths: []int32{1}, Steps: 1, Width: 3}, b.Sequences[data.Audio])
}

func TestValuesThatAreNotFiniteBecomeZeroAndAreCounted(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	e := example(data.Train, 20)
	infinite := 1 / float32(len(e.Tokens)-23)
	given := []float32{nan, -infinite, infinite}
	e.Values[data.Audio] = given
	require.NoError(t, w.Add(data.Train, e))
	card, err := w.Close()
	require.NoError(t, err)
	assert.Equal(t, 3, card.Splits[data.Train].Modalities[data.Audio].NonFinite)
	assert.Equal(t, infinite, given[2], "the caller's values stay as they are")

	d, _ := open(t, dir)
	b, err := d.Train.Batch([]int{9}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 0, 0}, b.Sequences[data.Audio].Values)
}

// big has the shapes of MOSI's unaligned features.
func big(b *testing.B) *data.Development {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "big")
	w, err := data.Create(dir, data.Source{Width: [3]int{300, 74, 47}})
	require.NoError(b, err)
	for _, split := range data.Splits {
		for i := range 64 {
			e := data.Example{Info: data.Info{ID: fmt.Sprint(split, i), Lengths: [3]int{50, 375, 500}}}
			for m, width := range []int{300, 74, 47} {
				e.Values[m] = make([]float32, e.Info.Lengths[m]*width)
			}
			require.NoError(b, w.Add(split, e))
		}
	}
	_, err = w.Close()
	require.NoError(b, err)
	d, _ := open(b, dir)
	return d
}

func BenchmarkBatch(b *testing.B) {
	d := big(b)
	rows := data.Order(1, 0, 64)[:16]
	for name, examples := range map[string]data.Examples{"plain": d.Train, "normalised": data.WithNormaliser(data.FitStandard(d), d.Train)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := examples.Batch(rows, [3]int{})
				require.NoError(b, err)
			}
		})
	}
}
